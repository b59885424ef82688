/**
 * Owns how far the connection is acked that several tabs share: the fastest sets the speed, and mail is
 * consumed when all have it. Refuses to know how acks are sent.
 */
import type { AckFrame } from "../../protocol/frames.ts";
import type { RoomSeat } from "./room-seat.ts";

/** Bytes without a window after which the connection is acked all the same (P54). */
const OTHER_BYTES = 65_536;

type Acked = Pick<AckFrame, "seq" | "mail">;

const NOTHING: Acked = { seq: 0, mail: 0 };

export class RoomAcks {
  readonly #seats: ReadonlySet<RoomSeat>;
  readonly #send: (acked: Acked) => void;
  #acked = NOTHING;
  #others = 0;

  /** @param seats those at the connection. */
  constructor(seats: ReadonlySet<RoomSeat>, send: (acked: Acked) => void) {
    this.#seats = seats;
    this.#send = send;
  }

  /** Another connection has acked nothing yet. */
  begin(): void {
    this.#acked = NOTHING;
  }

  /** A frame came that is not of the log. */
  countOther(bytes: number): void {
    this.#others += bytes;
    if (this.#others >= OTHER_BYTES) this.#say(this.#due());
  }

  /** Acks what has been consumed since the last ack. */
  sendIfDue(): void {
    const due = this.#due();
    if (due.seq > this.#acked.seq || due.mail > this.#acked.mail) this.#say(due);
  }

  #due(): Acked {
    const served = [...this.#seats].filter(({ own, isOpened }) => isOpened && own === undefined);
    if (served.length === 0) return this.#acked;
    return {
      seq: Math.max(this.#acked.seq, ...served.map(({ acked }) => acked)),
      mail: Math.max(this.#acked.mail, Math.min(...served.map(({ mail }) => mail))),
    };
  }

  #say(due: Acked): void {
    this.#acked = due;
    this.#others = 0;
    this.#send(due);
  }
}
