/**
 * Owns where a reader of a log begins, also as one text: the Worker says it with the request for the
 * socket, so that the object's first frames travel with its answer. Refuses to know who reads, and why.
 */
import * as v from "valibot";
import type { Position } from "./frames.ts";

/** `start` is before the oldest entry that is kept, `now` after the newest. */
export type ReaderStart = "start" | "now" | { readonly newest: number } | Position;

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
