/** Owns the figures made of many measurements. Refuses to know what was measured. */

/** The value below which the given share of the samples lies; `NaN` without samples. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)] ?? Number.NaN;
  const high = sorted[Math.ceil(position)] ?? Number.NaN;
  return low + (high - low) * (position - Math.floor(position));
}

/** The middle one: a busy machine moves it least. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}
