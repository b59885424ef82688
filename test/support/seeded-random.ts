/** Owns chance that can be repeated: the same seed gives the same run. Refuses to know what is decided by it. */

/** A stream of numbers that follow from a seed alone. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1), as `Math.random` gives it. */
  readonly next = (): number => {
    // A counter through a mixing function: every bit of the seed reaches every bit of the result.
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };

  /** An integer from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.between(0, items.length - 1)] ?? items[0];
  }
}

/** Only the numbers of a {@link SeededRandom}. */
export function seededRandom(seed: number): () => number {
  return new SeededRandom(seed).next;
}

/** `SEED` from the environment, to repeat a run; else a new one. Tests print it. */
export function chooseSeed(): number {
  return Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
}
