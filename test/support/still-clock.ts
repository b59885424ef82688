/** A clock that stands still until a test sets it; it has no timers. */
import type { Clock } from "../../src/stream/clock.ts";

export class StillClock implements Clock {
  time: number;

  constructor(time = 1_760_000_000_000) {
    this.time = time;
  }

  now(): number {
    return this.time;
  }

  after(): () => void {
    throw new Error("a core of this kind arms no timer");
  }
}
