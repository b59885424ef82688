/**
 * Owns a rate with a burst. Refuses to know what is counted.
 *
 * It lives in memory only: an object that has slept was idle for longer than any bucket here takes
 * to fill, so a full bucket after waking is the right one.
 */
import type { Clock } from "../../src/stream/clock.ts";

export interface Rate {
  /** Units that come back each second. */
  readonly perSecond: number;
  /** Units that may be spent at once. */
  readonly burst: number;
}

export class TokenBucket {
  readonly #clock: Clock;
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = clock.now();
  }

  /** Whether nothing is spent that has not come back. */
  get isFull(): boolean {
    this.#refill();
    return this.#tokens >= this.#rate.burst;
  }

  /** Takes `units`; zero when they were there, else the milliseconds until they will be (nothing is taken). */
  take(units: number): number {
    const waitMs = this.waitFor(units);
    if (waitMs === 0) this.#tokens -= Math.min(units, this.#rate.burst);
    return waitMs;
  }

  /** Milliseconds until `units` are there; zero when they are. */
  waitFor(units: number): number {
    this.#refill();
    const { perSecond, burst } = this.#rate;
    // More than the burst can never be there: it may pass when the bucket is full.
    const missing = Math.min(units, burst) - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil((missing / perSecond) * 1000);
  }

  #refill(): void {
    const now = this.#clock.now();
    const { perSecond, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * perSecond);
    this.#at = now;
  }
}
