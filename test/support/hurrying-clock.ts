/**
 * Owns time for a client behind a bad network: it runs as elsewhere while an answer is due, and much
 * faster while there is nothing to do but wait. Refuses to know what is waited for.
 */
import type { Clock } from "../../src/client/index.ts";

/** How much faster. Half a minute of patience takes an eighth of a second. */
const HURRY = 240;

/** Milliseconds between two looks at the real clock. */
const TICK_MS = 5;

export class HurryingClock implements Clock, Disposable {
  readonly #mayHurry: () => boolean;
  readonly #timers = new Map<symbol, { readonly at: number; readonly task: () => void }>();
  readonly #ticking: NodeJS.Timeout;
  #now = Date.now();
  #seen = performance.now();

  constructor(mayHurry: () => boolean) {
    this.#mayHurry = mayHurry;
    this.#ticking = setInterval(() => {
      this.#tick();
    }, TICK_MS);
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const key = Symbol("timer");
    this.#timers.set(key, { at: this.#now + ms, task });
    return () => {
      this.#timers.delete(key);
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ticking);
  }

  #tick(): void {
    const real = performance.now();
    // A machine that stood still has not waited for anybody.
    const passed = Math.min(real - this.#seen, 4 * TICK_MS);
    this.#seen = real;
    this.#now += passed * (this.#mayHurry() ? HURRY : 1);
    const due = [...this.#timers]
      .filter(([, { at }]) => at <= this.#now)
      .toSorted(([, a], [, b]) => a.at - b.at);
    for (const [key, { task }] of due) if (this.#timers.delete(key)) task();
  }
}
