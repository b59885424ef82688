/**
 * Owns how every event stream of an object's log begins, and what one says that broke off. Refuses to
 * know whose log it is and what lies between.
 */
import { toSluiceError } from "../protocol/errors.ts";
import { SSE_RETRY_MS } from "../protocol/limits.ts";
import { encodeComment, encodeEvent } from "../sse/encode.ts";

/** The beginning, so that the first byte comes at once. @param chance from 0 to 1. */
export function openingOf(chance: number): string {
  return `retry: ${Math.round(SSE_RETRY_MS * (1 + chance))}\n${encodeComment("open")}`;
}

/** The last words; a client comes back and goes on. */
export function describeFailure(thrown: unknown): string {
  const { code, detail } = toSluiceError(thrown);
  return encodeEvent({ event: "error", data: JSON.stringify({ code, message: detail }) });
}
