/** Owns the ids of messages that are published without any, under a request's Idempotency-Key. */
import { SluiceError } from "../protocol/errors.ts";
import { isMessageId } from "../protocol/names.ts";
import type { AppContext } from "./app-env.ts";

/**
 * One key for a request, an id below it for each of its events.
 *
 * @throws SluiceError `invalid_request`.
 */
export function keyOf(c: AppContext): (index: number, isOnly: boolean) => string | undefined {
  const key = c.req.header("idempotency-key");
  return (index, isOnly) => {
    if (key === undefined) return undefined;
    const id = isOnly ? key : `${key}.${index}`;
    if (isMessageId(id)) return id;
    throw new SluiceError("invalid_request", {
      detail:
        "An Idempotency-Key is 1 to 64 visible ASCII characters (a little less for many messages).",
      param: "Idempotency-Key",
    });
  };
}
