/** Owns reading a page of a room's log, which may not have begun. Refuses to know who reads. */
import type { Position } from "../../src/protocol/frames.ts";
import { NO_EPOCH } from "../../src/protocol/position.ts";
import { isPosition } from "../../src/protocol/reader-start.ts";
import type { From, Gap, Log, Page, PageSize } from "../log/log.ts";

/** A page, and how far the log reaches. */
export interface RoomPage {
  readonly epoch: string;
  readonly tail: number;
  readonly page: Page | Gap;
}

/** A page of the log, from a position or after a gap. */
export function readPage(log: Log | undefined, from: From, size: PageSize): RoomPage {
  if (log === undefined) return readNothing(from);
  const start = log.resolve(isBeforeRoom(from) ? { epoch: log.epoch, seq: from.seq } : from);
  const page = start.kind === "gap" ? start : log.readAfter(start.seq, size);
  return { epoch: log.epoch, tail: log.tail, page };
}

/** A page of a room that does not exist: from elsewhere, everything is lost. */
function readNothing(from: From): RoomPage {
  const isElsewhere = isPosition(from) && !isBeforeRoom(from);
  const page: Page | Gap = isElsewhere
    ? { kind: "gap", reason: "epoch", from: 0, to: 0 }
    : { kind: "page", first: 1, count: 0, entries: new Uint8Array(), last: 0, done: true };
  return { epoch: NO_EPOCH, tail: 0, page };
}

/** Whether a position was given out before the room began. */
function isBeforeRoom(from: From): from is Position {
  return isPosition(from) && from.epoch === NO_EPOCH;
}
