/** Owns the mark up to which changes are stored with their documents: how it is kept. Refuses to know who moves it. */
import type { Log } from "../log/log.ts";
import { FOLD_BYTES, FOLD_ENTRIES } from "./limits.ts";

export interface FoldMark {
  /** The last entry of the log before it. */
  readonly seq: number;
  /** Bytes of the log up to there. */
  readonly bytes: number;
}

/** The part of a log that a mark needs. */
type MarkedLog = Pick<Log, "tail" | "bytesEver" | "settings">;

const NAME = "documents";

/** The mark, if there is one. */
export function readMark({ settings }: MarkedLog): FoldMark | undefined {
  const text = settings.get(NAME);
  if (text === undefined) return undefined;
  const { seq, bytes } = JSON.parse(text) as Record<keyof FoldMark, unknown>;
  if (typeof seq !== "number" || typeof bytes !== "number") throw new Error("the mark is damaged");
  return { seq, bytes };
}

/** Puts the mark at the log's end. */
export function writeMark({ tail, bytesEver, settings }: MarkedLog): FoldMark {
  const mark = { seq: tail, bytes: bytesEver };
  settings.set(NAME, JSON.stringify(mark));
  return mark;
}

/** Whether so much lies behind the mark that looking through it takes long. */
export function isFarBehind({ seq, bytes }: FoldMark, { tail, bytesEver }: MarkedLog): boolean {
  return tail - seq >= FOLD_ENTRIES || bytesEver - bytes >= FOLD_BYTES;
}
