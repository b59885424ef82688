/** Owns chance that can be repeated. Refuses to know what is decided by it. */

/** Numbers in [0, 1) that follow from the seed alone (a 32-bit xorshift: good enough to pick cases). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** `SEED` from the environment, to repeat a run; else a new one. Tests print it. */
export function chooseSeed(): number {
  return Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
}
