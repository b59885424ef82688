/**
 * Owns positions as text: `<epoch>_<seq>`, seq in 16 digits, so that positions of one epoch sort as
 * text. Refuses to know logs; clients treat the text as opaque.
 */
import type { Position } from "./frames.ts";
import { isEpoch } from "./names.ts";

/** Digits of the largest integer that JavaScript holds exactly. */
const SEQ_DIGITS = 16;
const SEQ = /^[0-9]{16}$/;

/** The epoch of a log that does not exist yet. Its reader goes on from the same number once it does. */
export const NO_EPOCH = "0";

/** Before the oldest entry that is kept, in whichever epoch: nothing is lost to who begins here. */
export const START: Position = { epoch: "-", seq: 0 };

/** A position as it stands in URLs, JSON and SSE ids. */
export function formatPosition({ epoch, seq }: Position): string {
  return `${epoch}_${String(seq).padStart(SEQ_DIGITS, "0")}`;
}

/** The position a text means; undefined when no server wrote it. */
export function parsePosition(text: string): Position | undefined {
  const cut = text.length - SEQ_DIGITS - 1;
  if (text[cut] !== "_") return undefined;
  const epoch = text.slice(0, cut);
  const digits = text.slice(cut + 1);
  const seq = Number(digits);
  if (!isEpoch(epoch) || !SEQ.test(digits) || !Number.isSafeInteger(seq)) return undefined;
  return { epoch, seq };
}

/** Negative when `a` is before `b`, 0 when equal; undefined across epochs, which have no order. */
export function comparePositions(a: Position, b: Position): number | undefined {
  return a.epoch === b.epoch ? a.seq - b.seq : undefined;
}
