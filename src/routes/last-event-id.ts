/**
 * Owns the position that a client of an event stream comes back with. Refuses to know what positions
 * look like.
 */
import { SluiceError } from "../protocol/errors.ts";
import type { Position } from "../protocol/frames.ts";
import type { AppContext } from "./app-env.ts";

/** Of a log that never was: who is there has lost everything, and is told so by a gap. */
export const ELSEWHERE: Position = { epoch: "elsewhere", seq: 0 };

/**
 * The position that a client names, in the header that browsers send by themselves or as `?lastEventId=`;
 * undefined when there is none. A header that nobody could have been given means `fallback`: for a
 * browser's EventSource a refusal would be the end, with nobody there to mend it.
 *
 * @param parse gives undefined, or throws `bad_position`, for what is no position.
 * @throws SluiceError `bad_position` for a query that is none: whoever wrote it can mend it.
 */
export function readLastEventId<T>(
  c: AppContext,
  parse: (text: string) => T | undefined,
  fallback: T,
): T | undefined {
  const header = c.req.header("last-event-id") ?? "";
  if (header !== "") return parse(header) ?? fallback;
  const query = c.req.query("lastEventId");
  // Empty is what a client writes that has no position yet.
  if (query === undefined || query === "") return undefined;
  const position = parse(query);
  if (position === undefined) throw new SluiceError("bad_position", { param: "lastEventId" });
  return position;
}
