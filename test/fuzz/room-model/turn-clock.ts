/**
 * Owns time in the model of a room: everything a timer starts happens within its turn, so nothing is
 * awaited. Timers belong to a life of the object and die with it.
 */
import type { Clock } from "../../../src/stream/clock.ts";

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

export class TurnClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now = Date.UTC(2026, 0, 1);

  /** Timers that are armed now. */
  get armed(): number {
    return this.#timers.size;
  }

  /** When the next timer is due. */
  get nextAt(): number | undefined {
    let next: number | undefined;
    for (const { at } of this.#timers) if (next === undefined || at < next) next = at;
    return next;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const timer = { at: this.#now + ms, task };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Moves to a time and runs what is due by then. */
  moveTo(time: number): void {
    this.#now = Math.max(this.#now, time);
    for (const timer of this.#timers) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.task();
    }
  }

  /** The object's memory is gone, and its timers with it. */
  forget(): void {
    this.#timers.clear();
  }
}
