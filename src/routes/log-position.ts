/** Owns positions as callers write them in URLs and headers. Refuses to know whether they are still stored. */
import type { From } from "../../durable-objects/log/log.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { Position } from "../protocol/frames.ts";
import { parsePosition } from "../protocol/position.ts";

/**
 * The position a text names.
 *
 * @throws SluiceError `bad_position` when no server wrote it.
 */
export function requirePosition(text: string): Position {
  const position = parsePosition(text);
  if (position === undefined) throw new SluiceError("bad_position");
  return position;
}

/** Where a page begins: after a position, or with the oldest message. */
export function parseFrom(after: string | undefined): From {
  return after === undefined ? "start" : requirePosition(after);
}
