/** Owns how a gap is told over HTTP. Refuses to know why something is lost. */
import type { GapFrame } from "./frames.ts";
import { formatPosition } from "./position.ts";

/** Entries that are no longer stored, as positions of the first and the last of them, in JSON. */
export function describeGap(
  epoch: string,
  { reason, from, to }: Pick<GapFrame, "reason" | "from" | "to">,
): string {
  const position = (seq: number): string => formatPosition({ epoch, seq });
  return JSON.stringify({ reason, from: position(from), to: position(to) });
}
