/**
 * Owns one membership of a room that several tabs share: one connection, one presence, each tab at its
 * own place in the log. What a tab sends goes out on it, and the answer goes back to who sent it. Refuses
 * to know where the tabs are.
 */
import type { MailEntry, Raw, ServerFrame, WelcomeFrame } from "../../protocol/frames.ts";
import { PresenceStore } from "../room/presence.ts";
import type { RoomCommand, RoomEvent, RoomResume } from "../room/transport.ts";
import type { Failure, Link, LinkObserver } from "../transport.ts";
import { RoomAcks } from "./room-acks.ts";
import { RoomKept, seqBefore } from "./room-kept.ts";
import { RoomSeat } from "./room-seat.ts";
import type { Line, OpenUpstream } from "./seat.ts";
import { Senders } from "./senders.ts";

export class RoomLine implements Line<RoomResume, RoomEvent, RoomCommand> {
  readonly #openUpstream: OpenUpstream<RoomResume, RoomEvent, RoomCommand>;
  readonly #seats = new Set<RoomSeat>();
  readonly #kept = new RoomKept();
  readonly #senders = new Senders();
  #member: string | undefined;
  #presence = new PresenceStore();
  #shown: Raw | undefined;
  #upstream: Link<RoomCommand> | undefined;
  #founder: RoomSeat | undefined;
  #welcome: WelcomeFrame | undefined;
  #isOpen = false;
  /** Mail that not all have consumed. */
  #mail: MailEntry[] = [];
  readonly #acks = new RoomAcks(this.#seats, (acked) => {
    this.#mail = this.#mail.filter(({ mail }) => mail > acked.mail);
    this.#upstream?.send({ kind: "ack", ...acked });
  });

  constructor(openUpstream: OpenUpstream<RoomResume, RoomEvent, RoomCommand>, member?: string) {
    this.#openUpstream = openUpstream;
    this.#member = member;
  }

  /** Whose membership it is; undefined until the server has made a name up. */
  get member(): string | undefined {
    return this.#member;
  }

  get isEmpty(): boolean {
    return this.#seats.size === 0;
  }

  open(hello: RoomResume, observer: LinkObserver<RoomEvent>): Link<RoomCommand> {
    const seat = new RoomSeat(hello, observer);
    this.#seats.add(seat);
    // Nothing is told before this returns.
    queueMicrotask(() => {
      if (!this.#seats.has(seat)) return;
      if (this.#upstream === undefined) this.#begin(seat);
      else if (this.#isOpen) this.#attach(seat);
    });
    return {
      send: (command) => {
        this.#send(seat, command);
      },
      probe: () => {
        this.#upstream?.probe();
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

  #begin(seat: RoomSeat): void {
    this.#founder = seat;
    const { hello } = seat;
    this.#shown = hello.state ?? this.#shown;
    this.#acks.begin();
    const { tail } = this.#kept.ring;
    const isKnown = this.#kept.cursorFor(hello) !== undefined && tail !== undefined;
    const asked: RoomResume = {
      ...hello,
      member: this.#member ?? hello.member,
      ...(isKnown ? { resume: { epoch: this.#kept.epoch, seq: tail } } : {}),
      state: this.#shown,
      credit: undefined,
    };
    this.#upstream = this.#openUpstream(asked, {
      opened: () => {
        this.#isOpen = true;
        for (const other of this.#seats) this.#attach(other);
      },
      caughtUp: () => {},
      retry: () => {},
      event: ({ frame, bytes }) => {
        if (frame.kind === "welcome") this.#greeted(frame, asked, isKnown);
        else this.#take(frame, bytes);
      },
      failed: (failure) => {
        this.#drop();
        for (const other of this.#seats) this.#fail(other, failure);
      },
    });
  }

  #take(frame: Exclude<ServerFrame, WelcomeFrame>, bytes: number): void {
    switch (frame.kind) {
      case "deliver":
      case "gap":
        this.#kept.push(frame, bytes);
        for (const seat of this.#seats) {
          this.#join(seat);
          this.#pump(seat);
        }
        return;
      case "mail":
        this.#mail.push(...frame.entries);
        this.#tellAll(frame);
        break;
      case "presenceDiff":
        this.#presence.apply(frame);
        this.#tellAll(frame);
        break;
      case "published":
        this.#senders.answered(frame);
        break;
      case "error":
        if (frame.id === undefined) this.#tellAll(frame);
        else this.#senders.refused(frame.id, frame);
        break;
      case "renewed":
        this.#tellAll(frame);
        break;
      case "end":
      case "latest":
        break;
    }
    this.#acks.countOther(bytes);
  }

  #greeted(welcome: WelcomeFrame, asked: RoomResume, isKnown: boolean): void {
    this.#welcome = welcome;
    this.#member = welcome.member;
    this.#presence.begin(welcome.presence);
    this.#mail = [];
    // What is kept goes on where it was, unless the room has begun anew.
    if (!isKnown || this.#kept.epoch !== welcome.epoch) {
      this.#kept.begin(welcome, asked);
    }
  }

  #attach(seat: RoomSeat): void {
    const welcome = this.#welcome;
    if (welcome === undefined || seat.isOpened || seat.own !== undefined) return;
    const { hello } = seat;
    const { credit } = welcome;
    // Who acks more seldom than the server needs it would hold up all.
    seat.window = Math.min(seat.window, credit.messages);
    // Before the tab hears that it is in: what it shows then is newer than what it came with.
    if (hello.state !== undefined && hello.state !== this.#shown) {
      this.#send(seat, { kind: "presence", state: hello.state });
    }
    const ring = this.#kept.ring;
    // Whoever the connection was opened for has all that it brings.
    const whole = seat === this.#founder ? ring.first : undefined;
    seat.cursor = this.#kept.cursorFor(hello) ?? whole;
    if (seat.cursor === undefined) {
      this.#openOwn(seat);
      return;
    }
    const tail = ring.tail ?? 0;
    const isNew = hello.resume === undefined && (hello.history ?? 0) === 0;
    seat.epoch = this.#kept.epoch;
    seat.begin(this.#kept.seqBefore(hello));
    const { count, members, complete } = this.#presence.get();
    seat.tell({
      ...welcome,
      // Who has no position begins at the head.
      head: isNew ? seat.told : Math.max(welcome.head, tail),
      credit: { ...credit, messages: seat.window },
      presence: { count, members, complete },
    });
    seat.opened(!isNew && seat.told < Math.max(welcome.head, tail));
    this.#tellMail(seat);
    this.#pump(seat);
    // Where it begins it has consumed all before.
    this.#acks.sendIfDue();
  }

  #pump(seat: RoomSeat): void {
    const ring = this.#kept.ring;
    if (seat.cursor === undefined || !seat.isOpened) return;
    if (seat.cursor < ring.first) {
      // What it wants is gone from here; it gets it from the server when it is ready for more.
      seat.cursor = undefined;
      return;
    }
    while (seat.cursor < ring.end && seat.hasRoom) {
      const kept = ring.at(seat.cursor);
      seat.cursor += 1;
      if (kept !== undefined) seat.tellLog(kept);
    }
  }

  #tellMail(seat: RoomSeat): void {
    const entries = this.#mail.filter(({ mail }) => mail > seat.mail);
    if (entries.length > 0) seat.tell({ kind: "mail", entries });
  }

  /** To those who are served from here; the others hear of it on their own connections. */
  #tellAll(frame: ServerFrame): void {
    for (const seat of this.#seats) if (seat.isOpened && seat.own === undefined) seat.tell(frame);
  }

  #send(seat: RoomSeat, command: RoomCommand): void {
    switch (command.kind) {
      case "ack":
        this.#takeAck(seat, command.seq, command.mail);
        return;
      case "leave":
        // The member stays while it has other tabs.
        if (this.#seats.size === 1) this.#upstream?.send(command);
        return;
      case "refresh":
        // Tabs at one connection have tokens that mean the same: any of them prolongs it.
        break;
      case "presence":
        this.#shown = command.state;
        break;
      case "publish":
      case "direct":
        this.#senders.sent(command.id, seat);
        break;
    }
    if (this.#isOpen) this.#upstream?.send(command);
  }

  #takeAck(seat: RoomSeat, seq: number, mail: number): void {
    seat.acked = Math.max(seat.acked, seq);
    seat.mail = Math.max(seat.mail, mail);
    if (!this.#isOpen || !seat.isOpened) return;
    if (seat.own !== undefined) seat.own.send({ kind: "ack", seq, mail });
    else if (seat.cursor === undefined) this.#openOwn(seat);
    this.#pump(seat);
    this.#acks.sendIfDue();
  }

  /** A second connection of the same member, until what it has meets what is kept here. */
  #openOwn(seat: RoomSeat): void {
    const { hello, told, mail } = seat;
    const resume = seat.isOpened ? { epoch: seat.epoch, seq: told } : hello.resume;
    const member = this.#member ?? hello.member;
    const credit = this.#welcome && { ...this.#welcome.credit, messages: seat.window };
    // The server takes what the newest connection shows for what the member shows.
    const state = this.#shown;
    seat.own = this.#openUpstream(
      { ...hello, member, resume, mail: resume && mail, state, credit },
      {
        opened: (isBehind) => {
          this.#showAgain(state);
          seat.opened(isBehind);
          this.#join(seat);
        },
        caughtUp: () => {
          seat.observer.caughtUp();
        },
        retry: () => {},
        event: ({ frame, bytes }) => {
          if (frame.kind === "welcome") {
            seat.epoch = frame.epoch;
            seat.begin(seqBefore({ ...hello, resume }, frame));
          }
          if (frame.kind === "deliver" || frame.kind === "gap") seat.advance(frame);
          seat.tell(frame, bytes);
          if (frame.kind === "deliver") this.#join(seat);
        },
        failed: (failure) => {
          seat.own = undefined;
          this.#fail(seat, failure);
        },
      },
    );
  }

  /** A connection has said what the tabs showed when it was asked for: they may have shown more since. */
  #showAgain(said: Raw | undefined): void {
    const state = this.#shown;
    if (this.#isOpen && state !== undefined && state !== said) {
      this.#upstream?.send({ kind: "presence", state });
    }
  }

  /** From its own connection to the shared one, where both have told the same. */
  #join(seat: RoomSeat): void {
    if (seat.own === undefined || !seat.isOpened || !this.#isOpen) return;
    const place = { epoch: seat.epoch, seq: seat.told };
    const cursor = this.#kept.cursorFor({ ...seat.hello, resume: place });
    if (cursor === undefined) return;
    seat.own.close();
    seat.own = undefined;
    seat.cursor = cursor;
    const { count, members, complete } = this.#presence.get();
    const scope = complete ? "all" : "count";
    seat.tell({ kind: "presenceDiff", scope, count, here: members, gone: [] });
    this.#tellMail(seat);
    this.#pump(seat);
    this.#acks.sendIfDue();
  }

  #fail(seat: RoomSeat, failure: Failure): void {
    this.#leave(seat);
    seat.observer.failed(failure);
  }

  #leave(seat: RoomSeat): void {
    if (!this.#seats.delete(seat)) return;
    seat.own?.close();
    seat.own = undefined;
    if (this.#founder === seat) this.#founder = undefined;
    this.#senders.left(seat);
    if (this.isEmpty) this.#drop();
  }

  #drop(): void {
    this.#upstream?.close();
    this.#upstream = undefined;
    this.#isOpen = false;
    this.#welcome = undefined;
    this.#senders.clear();
  }
}
