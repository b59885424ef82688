/** Owns how a text is cut where others' carets and selections begin and end. Refuses to know how it is drawn. */

/**
 * @typedef {{ readonly member: string, readonly anchor: number, readonly head: number, readonly key: string }} Placed
 * @typedef {{ readonly text: string, readonly selectedBy: string | undefined, readonly carets: readonly Placed[] }} Piece
 */

/**
 * The text in pieces: before each are the carets that stand there. What several have selected is the first one's.
 *
 * @param {string} text
 * @param {readonly Placed[]} placed
 * @returns {readonly Piece[]}
 */
export function piecesOf(text, placed) {
  const within = placed.map(({ anchor, head, ...rest }) => ({
    ...rest,
    anchor: Math.min(anchor, text.length),
    head: Math.min(head, text.length),
  }));
  const cuts = new Set([0, ...within.flatMap(({ anchor, head }) => [anchor, head])]);
  const starts = [...cuts].toSorted((one, other) => one - other);
  return starts.map((from, index) => ({
    text: text.slice(from, starts[index + 1]),
    selectedBy: within.find(
      ({ anchor, head }) => Math.min(anchor, head) <= from && from < Math.max(anchor, head),
    )?.member,
    carets: within.filter(({ head }) => head === from),
  }));
}
