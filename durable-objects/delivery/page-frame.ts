/** Owns a page of the log as a frame. Refuses to know who reads it. */
import { encodeDeliver } from "../../src/protocol/encode-server-frame.ts";
import { entriesLength } from "../../src/protocol/entries.ts";
import type { LogPage } from "./fan-out.ts";

/** The frame for a page, without what its reader has already. */
export function encodePage({ first, count, entries }: LogPage, after: number): Uint8Array {
  const known = Math.max(0, after + 1 - first);
  const rest = known === 0 ? entries : entries.subarray(entriesLength(entries, known));
  return encodeDeliver(first + known, count - known, rest);
}
