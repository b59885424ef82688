/** Owns the headers of the Durable Streams protocol: their names and how they are read. Refuses to know when they are sent. */
import { SluiceError } from "../protocol/errors.ts";
import { formatPosition } from "../protocol/position.ts";
import type { AppContext } from "./app-env.ts";

const NEXT_OFFSET = "Stream-Next-Offset";
export const UP_TO_DATE = "Stream-Up-To-Date";
const CLOSED = "Stream-Closed";
export const CURSOR = "Stream-Cursor";
export const SSE_ENCODING = "Stream-SSE-Data-Encoding";
export const SEQ = "Stream-Seq";
export const TTL = "Stream-TTL";
export const EXPIRES_AT = "Stream-Expires-At";
export const FORKED_FROM = "Stream-Forked-From";
export const FORK_OFFSET = "Stream-Fork-Offset";
export const FORK_SUB_OFFSET = "Stream-Fork-Sub-Offset";
export const PRODUCER_ID = "Producer-Id";
export const PRODUCER_EPOCH = "Producer-Epoch";
export const PRODUCER_SEQ = "Producer-Seq";
export const PRODUCER_EXPECTED_SEQ = "Producer-Expected-Seq";
export const PRODUCER_RECEIVED_SEQ = "Producer-Received-Seq";

/** What pages of other origins may read. */
export const STREAM_HEADERS: readonly string[] = [
  "ETag",
  NEXT_OFFSET,
  UP_TO_DATE,
  CLOSED,
  CURSOR,
  SSE_ENCODING,
  TTL,
  EXPIRES_AT,
  PRODUCER_EPOCH,
  PRODUCER_SEQ,
  PRODUCER_EXPECTED_SEQ,
  PRODUCER_RECEIVED_SEQ,
];

/** Where a stream ends now, and whether for good. */
interface End {
  readonly epoch: string;
  readonly tail: number;
  readonly isClosed: boolean;
}

/** An answer's headers that tell the end of the stream. */
export function describeEnd({ epoch, tail, isClosed }: End): Record<string, string> {
  return {
    [NEXT_OFFSET]: formatPosition({ epoch, seq: tail }),
    ...(isClosed ? { [CLOSED]: "true" } : {}),
  };
}

/** Whether the request closes the stream. Any other value than `true` is no wish. */
export function wantsClosed(c: AppContext): boolean {
  return c.req.header(CLOSED)?.toLowerCase() === "true";
}

/**
 * A header's non-negative integer, written in the one usual way; undefined without the header.
 *
 * @throws SluiceError `invalid_request`.
 */
export function parseCount(c: AppContext, header: string): number | undefined {
  const text = c.req.header(header);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^(0|[1-9]\d*)$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new SluiceError("invalid_request", {
    detail: "Expected an integer from 0 to 2^53-1, without sign or leading zeros.",
    param: header,
  });
}
