/**
 * Owns when a client grants the server credit (P51, P54): when enough is consumed, and after enough of
 * what has no window. Refuses to know what was consumed.
 */
import type { Credit } from "../../protocol/frames.ts";

/** Bytes of frames other than deliver after which a client acks although it consumed nothing. */
const OTHER_BYTES = 65_536;

/** Counts what is owed, and what is held. */
export class CreditAccount {
  #window: Credit = { messages: 1, bytes: 1 };
  #messages = 0;
  #bytes = 0;
  #others = 0;
  /** Bytes that arrived and are not consumed. */
  #held = 0;

  /** A connection begins, owing nothing. */
  begin(window: Credit): void {
    this.#window = window;
    this.settle();
  }

  /** A message has arrived, and with it so many bytes of frames. */
  arrived(bytes: number): void {
    this.#held += bytes;
  }

  /** Whether so many messages, not consumed, leave the server less than half its window. */
  isShort(count: number): boolean {
    const { messages, bytes } = this.#window;
    return count * 2 > messages || this.#held * 2 > bytes;
  }

  /** A message was consumed. Says whether an ack is due now. */
  consumed(bytes: number): boolean {
    this.#held -= bytes;
    this.#messages += 1;
    this.#bytes += bytes;
    return this.#messages * 2 >= this.#window.messages || this.#bytes * 2 >= this.#window.bytes;
  }

  /** A frame that is no delivery has arrived. Says whether an ack is due now. */
  heard(bytes: number): boolean {
    this.#others += bytes;
    return this.#others >= OTHER_BYTES;
  }

  /** An ack was sent. */
  settle(): void {
    this.#messages = 0;
    this.#bytes = 0;
    this.#others = 0;
  }
}
