/**
 * Owns what members of all peers have in common: a socket, and a check that every message comes once
 * and in order. Refuses to know how any peer's frames look.
 */
import { LoadSocket } from "../support/load-socket.ts";

/** What a crowd is told by its members. */
export interface MemberEvents {
  readonly joined: () => void;
  /** So many messages have come. */
  readonly heard: (count: number) => void;
  /** A message has come so many milliseconds after it was sent; asked for by `timed` only. */
  readonly delayed: (ms: number) => void;
  /** So many of its own messages are stored for good. */
  readonly confirmed: (count: number) => void;
  /** The member is of no use any more. */
  readonly failed: (why: string) => void;
}

/** Where and as whom a member joins. */
export interface Seat {
  readonly url: URL;
  readonly name: string;
  readonly subprotocol: string | undefined;
  /** The position of a log after which it goes on, where there is one. */
  readonly resume: { readonly epoch: string; readonly seq: number } | undefined;
  /** Looks at every message closely, where others only count. */
  readonly isWitness: boolean;
}

export abstract class Member implements Disposable {
  /** Whether delays are wanted. */
  timed = false;
  /** What has come meanwhile, until {@link settle}. */
  #kept: { readonly frame: Buffer; readonly at: number }[] = [];
  protected readonly seat: Seat;
  protected readonly events: MemberEvents;
  readonly #socket: LoadSocket;
  /** Messages that have come, or were there before. */
  #received: number;

  constructor(seat: Seat, events: MemberEvents) {
    this.seat = seat;
    this.events = events;
    this.#received = seat.resume?.seq ?? 0;
    this.#socket = new LoadSocket({
      url: seat.url,
      subprotocol: seat.subprotocol,
      onOpen: () => {
        this.open();
      },
      onMessage: (bytes, start, end, at) => {
        this.read(bytes, start, end, at);
      },
      onLost: events.failed,
    });
  }

  /** Frames that publish this text as message number `index`. */
  abstract publishFrame(text: string, index: number): Buffer;

  /** Names the life of the log that a witness reads; undefined where there is no log to go on in. */
  get epoch(): string | undefined {
    return undefined;
  }

  /** What keeps the connection alive; nothing where the server asks. */
  abstract heartbeat(): Buffer | undefined;

  send(frames: Buffer): void {
    this.#socket.send(frames);
  }

  /** Tells the delays of what was kept: whoever reads closely while others wait measures itself. */
  settle(): void {
    for (const { frame, at } of this.#kept) this.examine(frame, at);
    this.#kept = [];
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  /** The connection is open. */
  protected abstract open(): void;

  /** A message lies at `start` to `end`, read at `at`. */
  protected abstract read(bytes: Buffer, start: number, end: number, at: number): void;

  /** Looks closely at a message that was read at `at`, and tells its delay when that is wanted. */
  protected abstract examine(frame: Buffer, at: number): void;

  /** Keeps a message that is timed; its bytes belong to the next socket soon. */
  protected keep(bytes: Buffer, start: number, end: number, at: number): void {
    this.#kept.push({ frame: Buffer.from(bytes.subarray(start, end)), at });
  }

  /** `count` messages have come, of which the first has number `index`. */
  protected hear(index: number, count: number): void {
    if (index !== this.#received) {
      this.events.failed(`message ${index} came where ${this.#received} was expected`);
      return;
    }
    this.#received += count;
    this.events.heard(count);
  }
}
