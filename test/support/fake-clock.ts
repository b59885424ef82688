/** Owns time in tests. Refuses to pass by itself. */
import type { Clock } from "../../src/stream/clock.ts";

/** Turns of the event loop given to promises after each timer: streams take a few hops. */
const SETTLE_TURNS = 3;

/** Turns given when nothing is armed, before that is an error: some libraries begin in a `setTimeout` of theirs. */
const IDLE_TURNS = 100;

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  readonly #timers = new Set<Timer>();
  #now: number;

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  /** Timers that are armed now. */
  get armed(): number {
    return this.#timers.size;
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

  /** Lets `ms` milliseconds pass; timers fire in order, and what they start runs before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let timer = this.#next(); timer !== undefined && timer.at <= end; timer = this.#next()) {
      await this.#fire(timer);
    }
    this.#now = end;
  }

  /**
   * Lets time pass, timer by timer, until the condition holds.
   *
   * @throws Error when it still does not hold after `limitMs` milliseconds, or nothing is armed.
   */
  async advanceUntil(condition: () => boolean, limitMs = 600_000): Promise<void> {
    const end = this.#now + limitMs;
    for (let idle = 0; ;) {
      await settle();
      if (condition()) return;
      const timer = this.#next();
      if (timer === undefined) {
        idle += 1;
        if (idle > IDLE_TURNS) throw new Error("the condition does not hold and nothing is armed");
        await new Promise<void>((resolve) => {
          setTimeout(resolve);
        });
        continue;
      }
      idle = 0;
      if (timer.at > end) throw new Error(`the condition does not hold after ${limitMs} ms`);
      await this.#fire(timer);
    }
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
    return next;
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.task();
    await settle();
  }
}

/** Lets everything that is only waiting for promises run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
