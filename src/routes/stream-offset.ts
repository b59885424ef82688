/** Owns offsets as readers write them. Refuses to know whether they are still stored. */
import { SluiceError } from "../protocol/errors.ts";
import type { From } from "../../durable-objects/log/log.ts";
import type { Position } from "../protocol/frames.ts";
import { NO_EPOCH } from "../protocol/position.ts";
import type { AppContext } from "./app-env.ts";
import { requirePosition } from "./log-position.ts";

/** Other servers' first offset, which clients have been seen to write themselves. */
const ZERO = /^0{16}_0{16}$/;

/** Where an offset points; of the beginning of a stream, the position before its first event ever. */
export function parseOffset(text: string): Position {
  return ZERO.test(text) ? { epoch: NO_EPOCH, seq: 0 } : requirePosition(text);
}

/**
 * Where a reader begins: `-1` is the oldest that is kept, `now` the end.
 *
 * @throws SluiceError `bad_position`, `invalid_request`.
 */
export function offsetOf(c: AppContext, isRequired: boolean): From {
  const [text, ...more] = c.req.queries("offset") ?? [];
  if (more.length > 0) throw invalid("There may be one offset only.");
  if (text === undefined) {
    if (isRequired) throw invalid("A live read says where it begins.");
    return "start";
  }
  if (text === "-1") return "start";
  return text === "now" ? "now" : parseOffset(text);
}

function invalid(detail: string): SluiceError {
  return new SluiceError("invalid_request", { detail, param: "offset" });
}
