/**
 * Owns when a client grants the server credit (P51, P54): when enough is consumed, and after enough of
 * what has no window. Refuses to know what was consumed.
 */
import type { Credit } from "../../protocol/frames.ts";

/** Bytes of frames other than deliver after which a client acks although it consumed nothing. */
const OTHER_BYTES = 65_536;

/** Counts what is owed. Every method says whether an ack is due now. */
export class CreditAccount {
  #window: Credit = { messages: 1, bytes: 1 };
  #messages = 0;
  #bytes = 0;
  #others = 0;

  /** A connection begins, owing nothing. */
  begin(window: Credit): void {
    this.#window = window;
    this.settle();
  }

  /** A message of the log was consumed; `bytes` is its part of its frame. */
  consumed(bytes: number): boolean {
    this.#messages += 1;
    this.#bytes += bytes;
    return this.#messages * 2 >= this.#window.messages || this.#bytes * 2 >= this.#window.bytes;
  }

  /** A frame that is no delivery has arrived. */
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
