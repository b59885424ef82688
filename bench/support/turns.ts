/** Owns whose turn it is. Refuses to know what is done in it. */

/** The same, begun elsewhere: everybody goes first as often as everybody else. */
export function rotate<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/** The same in an order of chance: nobody always comes after the same one. */
export function shuffle<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
