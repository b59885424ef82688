import type { Clock } from "../../src/stream/clock.ts";

/** Time that moves only when a test says so. Timers run in order of their due time. */
export class FakeClock implements Clock {
  #now = 1_700_000_000_000;
  #timers: { due: number; task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const timer = { due: this.#now + ms, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers are armed: zero when everything was released. */
  get armed(): number {
    return this.#timers.length;
  }

  /** Moves time on, running what falls due and letting promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#timers
        .filter(({ due }) => due <= end)
        .toSorted((a, b) => a.due - b.due)
        .at(0);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.due);
      next.task();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}
