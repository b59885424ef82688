/** Owns how many frames of any kind each connection may send. Refuses to know what they say. */
import type { Clock } from "../../src/stream/clock.ts";
import type { Connection } from "./connection.ts";
import { type Rate, TokenBucket } from "./token-bucket.ts";

/**
 * Acknowledgements of a reader that is sent a frame every few milliseconds fit several times over; a
 * loop gone wild does not.
 */
const DEFAULT_RATE: Rate = { perSecond: 500, burst: 2_000 };

export class FrameBudget {
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #buckets = new WeakMap<Connection, TokenBucket>();

  constructor(clock: Clock, rate: Rate = DEFAULT_RATE) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /** Counts a frame; zero when it may pass, else the milliseconds until one may. */
  take(connection: Connection): number {
    let bucket = this.#buckets.get(connection);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.#clock, this.#rate);
      this.#buckets.set(connection, bucket);
    }
    return bucket.take(1);
  }
}
