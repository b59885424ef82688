/**
 * Owns positions as text: `<epoch>_<seq>`, seq in 16 digits, so that positions of one epoch sort as
 * text. Refuses to know logs; clients treat the text as opaque.
 */
import type { Position } from "./frames.ts";

/** Digits of the largest integer that JavaScript holds exactly. */
const SEQ_DIGITS = 16;
const POSITION = /^([0-9A-Za-z-]{1,64})_([0-9]{16})$/;

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
  const [, epoch = "", digits] = POSITION.exec(text) ?? [];
  const seq = Number(digits);
  return Number.isSafeInteger(seq) ? { epoch, seq } : undefined;
}

/** Negative when `a` is before `b`, 0 when equal; undefined across epochs, which have no order. */
export function comparePositions(a: Position, b: Position): number | undefined {
  return a.epoch === b.epoch ? a.seq - b.seq : undefined;
}
