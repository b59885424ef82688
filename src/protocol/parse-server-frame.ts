/**
 * Owns what bytes of any server are as a frame: a room's, or one that only topics send. Refuses to act on
 * frames.
 */
import * as FRAME from "./frame-numbers.ts";
import type { Entry, LatestFrame, ServerFrame } from "./frames.ts";
import { readElements, readEntry, readRoomFrame } from "./parse-room-frame.ts";
import { count, list, text } from "./shape.ts";
import { UnpackError } from "./unpack.ts";

/**
 * The frame that a WebSocket message holds; undefined for a type that this version does not know,
 * which is to be ignored. Integers beyond 2^53 are bigints, binary is a view of the message.
 *
 * @throws UnpackError for everything else.
 */
export function parseServerFrame(message: ArrayBuffer | Uint8Array): ServerFrame | undefined {
  const frame = readElements(message);
  switch (frame[0]) {
    case FRAME.end:
      return { kind: "end", outcome: text(frame[1]), data: text(frame[2]) };
    case FRAME.latest:
      return readLatest(list(frame[1]).map(count), list(frame[2]).map(readEntry));
    default:
      return readRoomFrame(frame);
  }
}

function readLatest(seqs: readonly number[], entries: readonly Entry[]): LatestFrame {
  if (seqs.length !== entries.length) throw new UnpackError();
  return { kind: "latest", seqs, entries };
}
