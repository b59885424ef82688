/**
 * Owns one connection to some topics that several tabs read, each from its own position and at its own
 * speed. Who is not near the newest event is given a connection of its own until it is. Refuses to know
 * where the tabs are.
 */
import type { TopicEvent, TopicResume, TopicTaken } from "../topic/transport.ts";
import type { Failure, Link, LinkObserver } from "../transport.ts";
import { Ring } from "./ring.ts";
import { type Line, type OpenUpstream, withRetry } from "./seat.ts";

/** Events that are read ahead of the fastest tab; fewer than are kept. */
const LINE_WINDOW = 256;

/** What a connection says whose log has ended. */
const ENDED = "ended";

interface Seat {
  readonly resume: TopicResume;
  readonly observer: LinkObserver<TopicEvent>;
  /** Number of the next event it is told; undefined while it is not read from what is kept. */
  cursor: number | undefined;
  /** Events told and not yet taken. */
  ahead: number;
  /** After the last event it was told. */
  place: string | undefined;
  /** Its own connection, while it catches up. */
  own: Link<TopicTaken> | undefined;
  isOpened: boolean;
  isCaughtUp: boolean;
  /** Set at the end of the log: told after the last event. */
  over: Failure | undefined;
}

export class TopicLine implements Line<TopicResume, TopicEvent, TopicTaken> {
  readonly #openUpstream: OpenUpstream<TopicResume, TopicEvent, TopicTaken>;
  readonly #seats = new Set<Seat>();
  readonly #ring = new Ring<TopicEvent, string>();
  #upstream: Link<TopicTaken> | undefined;
  #isOpen = false;
  #isCaughtUp = false;
  /** Where what is kept begins, if it is at no position. */
  #from: TopicResume["from"] | undefined;
  #retryMs = 0;
  /** Events up to this number were taken by somebody. */
  #taken = 0;

  constructor(openUpstream: OpenUpstream<TopicResume, TopicEvent, TopicTaken>) {
    this.#openUpstream = openUpstream;
  }

  get isEmpty(): boolean {
    return this.#seats.size === 0;
  }

  open(resume: TopicResume, observer: LinkObserver<TopicEvent>): Link<TopicTaken> {
    const seat: Seat = {
      resume,
      observer,
      cursor: undefined,
      ahead: 0,
      place: resume.after,
      own: undefined,
      isOpened: false,
      isCaughtUp: false,
      over: undefined,
    };
    this.#seats.add(seat);
    // Nothing is told before this returns.
    queueMicrotask(() => {
      if (!this.#seats.has(seat)) return;
      if (this.#upstream === undefined) this.#begin(seat);
      else if (this.#isOpen) this.#attach(seat);
    });
    return {
      send: ({ count }) => {
        this.#take(seat, count);
      },
      probe: () => {
        (seat.own ?? this.#upstream)?.probe();
      },
      close: () => {
        this.#leave(seat);
      },
    };
  }

  close(): void {
    for (const seat of this.#seats) seat.own?.close();
    this.#seats.clear();
    this.#drop();
  }

  /** Connects for the first seat; where it stands does not matter if it is among what is kept. */
  #begin(seat: Seat): void {
    const { resume } = seat;
    const isKnown = this.#locate(resume.after) !== undefined;
    if (!isKnown) {
      this.#ring.reset(resume.after);
      this.#from = resume.after === undefined ? resume.from : undefined;
      seat.cursor = this.#ring.end;
    }
    this.#taken = this.#ring.end;
    const after = isKnown ? this.#ring.tail : resume.after;
    this.#upstream = this.#openUpstream(
      { ...resume, after, window: LINE_WINDOW },
      {
        opened: (isBehind) => {
          this.#isOpen = true;
          this.#isCaughtUp = !isBehind;
          for (const other of this.#seats) this.#attach(other);
        },
        caughtUp: () => {
          this.#isCaughtUp = true;
          for (const other of this.#seats) this.#pump(other);
        },
        event: (event) => {
          this.#ring.push(event, event.id ?? this.#ring.tail, event.data?.length ?? 0);
          for (const other of this.#seats) {
            this.#join(other);
            this.#pump(other);
          }
        },
        retry: (ms) => {
          this.#retryMs = ms;
        },
        failed: (failure) => {
          this.#upstream = undefined;
          this.#drop();
          for (const other of this.#seats) this.#lose(other, failure);
        },
      },
    );
  }

  /** The connection is gone. At the end of the log, who is behind is served all that it lacks. */
  #lose(seat: Seat, failure: Failure): void {
    if (failure.code !== ENDED) {
      this.#fail(seat, failure);
      return;
    }
    seat.over = failure;
    // Its own connection comes to the end by itself.
    if (seat.own !== undefined) return;
    seat.cursor ??= this.#cursorFor(seat.resume);
    if (seat.cursor !== undefined && seat.cursor < this.#ring.end) this.#tellOpened(seat, true);
    if (seat.cursor === undefined) this.#openOwnIfReady(seat);
    else this.#pump(seat);
    this.#finish(seat);
  }

  /** Tells the end to who has all before it. */
  #finish(seat: Seat): void {
    const hasAll = seat.own === undefined && seat.cursor === this.#ring.end;
    if (seat.over !== undefined && hasAll) this.#fail(seat, seat.over);
  }

  #attach(seat: Seat): void {
    if (seat.own !== undefined || seat.isOpened) return;
    seat.cursor ??= this.#cursorFor(seat.resume);
    if (seat.cursor === undefined) {
      this.#openOwn(seat);
      return;
    }
    const { tail } = this.#ring;
    this.#tellOpened(seat, seat.cursor < this.#ring.end || !this.#isCaughtUp);
    // Who begins now has to know where that is, or would begin later the next time.
    if (seat.place === undefined && seat.cursor === this.#ring.end && tail !== undefined) {
      this.#tell(seat, { id: tail, event: undefined, data: undefined });
    }
    this.#pump(seat);
    // Where it begins it has taken all before.
    this.#grant(seat);
  }

  /** Where a seat is served from; undefined when what it wants is not kept. */
  #cursorFor({ after, from }: TopicResume): number | undefined {
    const ring = this.#ring;
    if (after !== undefined) return this.#locate(after);
    const isWhole = ring.base === undefined && this.#from === "start";
    if (from === "start") return isWhole ? ring.first : undefined;
    // Nothing was told yet: who begins as the first did misses nothing.
    if (ring.tail === undefined && from === this.#from) return ring.first;
    if (from === "now") return ring.tail === undefined ? undefined : ring.end;
    let missing = from;
    let cursor = ring.end;
    while (missing > 0 && cursor > ring.first) {
      cursor -= 1;
      if (ring.at(cursor)?.data !== undefined) missing -= 1;
    }
    return missing === 0 || isWhole ? cursor : undefined;
  }

  /** The number of the event after a position. */
  #locate(place: string | undefined): number | undefined {
    if (place === undefined) return undefined;
    const found = this.#ring.afterLast((after) => after === place);
    return found ?? (place === this.#ring.base ? this.#ring.first : undefined);
  }

  /** Tells a seat what it may have. */
  #pump(seat: Seat): void {
    const ring = this.#ring;
    if (seat.cursor === undefined || !seat.isOpened) return;
    if (seat.cursor < ring.first) {
      // What it wants is gone from here; it gets it from the server when it is ready for more.
      seat.cursor = undefined;
      this.#openOwnIfReady(seat);
      return;
    }
    while (seat.cursor !== undefined && seat.cursor < ring.end && hasRoom(seat)) {
      const event = ring.at(seat.cursor);
      seat.cursor += 1;
      if (event !== undefined) this.#tell(seat, event);
    }
    if (seat.cursor !== ring.end || !this.#isCaughtUp || seat.isCaughtUp) return;
    seat.isCaughtUp = true;
    seat.observer.caughtUp();
  }

  #tell(seat: Seat, event: TopicEvent): void {
    seat.place = event.id ?? seat.place;
    seat.ahead += 1;
    seat.observer.event(event);
  }

  #tellOpened(seat: Seat, isBehind: boolean): void {
    if (seat.isOpened) return;
    seat.isOpened = true;
    seat.isCaughtUp = !isBehind;
    seat.observer.opened(isBehind);
  }

  #take(seat: Seat, count: number): void {
    seat.ahead = Math.max(0, seat.ahead - count);
    if (seat.own !== undefined) {
      seat.own.send({ kind: "taken", count });
      return;
    }
    if (!seat.isOpened || (!this.#isOpen && seat.over === undefined)) return;
    if (seat.cursor === undefined) this.#openOwnIfReady(seat);
    this.#pump(seat);
    this.#grant(seat);
    this.#finish(seat);
  }

  /** The fastest sets the speed: who is slower reads what is kept, or by itself. */
  #grant({ cursor, ahead }: Seat): void {
    const done = (cursor ?? 0) - ahead;
    if (done <= this.#taken) return;
    this.#upstream?.send({ kind: "taken", count: done - this.#taken });
    this.#taken = done;
  }

  #openOwnIfReady(seat: Seat): void {
    if (seat.ahead * 2 <= seat.resume.window) this.#openOwn(seat);
  }

  #openOwn(seat: Seat): void {
    seat.isCaughtUp = false;
    const { resume, place } = seat;
    seat.own = this.#openUpstream(
      { ...resume, after: place },
      {
        opened: () => {
          this.#tellOpened(seat, true);
          this.#join(seat);
          this.#pump(seat);
        },
        caughtUp: () => {
          seat.observer.caughtUp();
        },
        event: (event) => {
          this.#tell(seat, event);
          if (event.id === undefined) return;
          this.#join(seat);
          this.#pump(seat);
        },
        retry: (ms) => {
          this.#retryMs = ms;
        },
        failed: (failure) => {
          seat.own = undefined;
          this.#fail(seat, failure);
        },
      },
    );
  }

  /** From its own connection to the shared one, where both have told the same. */
  #join(seat: Seat): void {
    if (seat.own === undefined || !seat.isOpened || !this.#isOpen) return;
    const cursor = this.#locate(seat.place);
    if (cursor === undefined) return;
    seat.own.close();
    seat.own = undefined;
    seat.cursor = cursor;
    this.#grant(seat);
  }

  #fail(seat: Seat, failure: Failure): void {
    this.#leave(seat);
    seat.observer.failed(withRetry(failure, this.#retryMs));
  }

  #leave(seat: Seat): void {
    if (!this.#seats.delete(seat)) return;
    seat.own?.close();
    seat.own = undefined;
    if (this.isEmpty) this.#drop();
  }

  #drop(): void {
    this.#upstream?.close();
    this.#upstream = undefined;
    this.#isOpen = false;
  }
}

function hasRoom({ ahead, resume }: Seat): boolean {
  return ahead < resume.window;
}
