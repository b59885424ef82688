/** Owns the frames for what a reader of the log is given. Refuses to know readers and logs. */
import {
  encodeDeliver,
  encodeLatest,
  encodeServerFrame,
} from "../../src/protocol/encode-server-frame.ts";
import { entriesLength } from "../../src/protocol/entries.ts";
import type { FrameWriter, LatestPage, LogPage } from "./fan-out.ts";

/** The protocol's frames, as the fan-out asks for them. */
export const pageFrames: FrameWriter = {
  deliver: encodePage,
  latest: ({ seqs, entries }: LatestPage) => encodeLatest(seqs, entries),
  gap: encodeServerFrame,
};

/** The frame for a page, without what its reader has already. */
function encodePage({ first, count, entries }: LogPage, after: number): Uint8Array {
  const known = Math.max(0, after + 1 - first);
  const rest = known === 0 ? entries : entries.subarray(entriesLength(entries, known));
  return encodeDeliver(first + known, count - known, rest);
}
