/**
 * Owns who is let in: after a deploy everybody comes back at once, and an object that takes them as they
 * come is back sooner than one that breaks down under them. Refuses to know who they are.
 */
import { SluiceError } from "../../src/protocol/errors.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import { type Rate, TokenBucket } from "./token-bucket.ts";

/** How many are let in. */
export interface AdmissionSettings {
  readonly joinRate: Rate;
  readonly maxConnections: number;
}

interface AdmissionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly settings: AdmissionSettings;
}

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #joins: TokenBucket;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#joins = new TokenBucket(options.clock, options.settings.joinRate);
  }

  /**
   * Lets one more in where there are `present` already.
   *
   * @throws SluiceError `room_overloaded` with a time to come back at.
   */
  admit(present: number): void {
    const wait = this.#joins.take(1);
    if (wait === 0 && present < this.#options.settings.maxConnections) return;
    // Spread over a while, or they would all come back together again.
    const spread = 1 + this.#options.random() * 4;
    throw new SluiceError("room_overloaded", { retryAfter: wait / 1000 + spread });
  }
}
