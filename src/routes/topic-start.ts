/** Owns where a reader of topics wants to begin. Refuses to know whether that is still stored. */
import { SluiceError } from "../protocol/errors.ts";
import { MAX_HISTORY } from "../protocol/limits.ts";
import { START } from "../protocol/position.ts";
import type { ReaderStart } from "../protocol/reader-start.ts";
import type { AppContext } from "./app-env.ts";
import { parseDigits } from "./read-count.ts";

/**
 * Where a client without a position begins: `?from=start` (the default), `now`, or a number of newest
 * events.
 *
 * @throws SluiceError `invalid_request`.
 */
export function parseFrom(c: AppContext): ReaderStart {
  const from = c.req.query("from") ?? "start";
  if (from === "start") return START;
  if (from === "now") return "now";
  const history = parseDigits(from);
  if (!(history <= MAX_HISTORY)) {
    throw new SluiceError("invalid_request", {
      detail: `Expected start, now, or a number of newest events up to ${MAX_HISTORY}.`,
      param: "from",
    });
  }
  return { newest: history };
}
