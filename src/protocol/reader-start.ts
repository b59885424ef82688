/**
 * Owns where a reader of a log begins, also as one text: the Worker says it with the request for the
 * socket, so that the object's first frames travel with its answer. Refuses to know who reads, and why.
 */
import * as v from "valibot";
import type { Position } from "./frames.ts";

/** `start` is before the oldest entry that is kept, `now` after the newest. */
export type ReaderStart = "start" | "now" | { readonly newest: number } | Position;

/** Whether it is a place of its own, and not one that depends on what is kept. */
export function isPosition(start: ReaderStart): start is Position {
  return typeof start === "object" && "epoch" in start;
}

/** Where a reader begins who may have a position, or else may want some of the newest entries. */
export function startFrom(resume: Position | undefined, newest: number | undefined): ReaderStart {
  return resume ?? (newest === undefined ? "now" : { newest });
}

const startSchema = v.union([
  v.picklist(["start", "now"]),
  v.strictObject({ newest: v.number() }),
  v.strictObject({ epoch: v.string(), seq: v.number() }),
]);

/** A start as a text of ASCII: it travels in a header. */
export function encodeStart(start: ReaderStart): string {
  return JSON.stringify(start);
}

/**
 * The start that a text means.
 *
 * @throws Error when it is none of {@link encodeStart}.
 */
export function decodeStart(text: string): ReaderStart {
  return v.parse(startSchema, JSON.parse(text));
}
