/**
 * Owns what an event stream is as an HTTP response. Refuses to know where its events come from.
 */
import { KEEPALIVE_MS } from "../protocol/limits.ts";
import type { Clock } from "../stream/clock.ts";
import { keepalive } from "../stream/keepalive.ts";
import { toReadable } from "../stream/to-readable.ts";
import { encodeComment } from "./encode.ts";

const KEEPALIVE = new TextEncoder().encode(encodeComment("keepalive"));

const EVENT_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

/** What {@link respondWithEvents} needs besides the events. */
interface EventResponseOptions {
  readonly clock: Clock;
  /** Milliseconds of silence before a keepalive comment. */
  readonly keepaliveMs?: number;
  /** Called when the client has gone, by `cancel()` or by a failed write. */
  readonly abort: (reason: unknown) => void;
  /** Aborted when the client has gone, however that became known. */
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Answers with an event stream, pulled by the client's reading and kept alive by comments.
 * `no-transform` keeps proxies from compressing (and so holding back) events.
 */
export function respondWithEvents(
  chunks: AsyncIterable<Uint8Array>,
  options: EventResponseOptions,
): Response {
  const beating = keepalive(chunks, {
    beat: KEEPALIVE,
    everyMs: options.keepaliveMs ?? KEEPALIVE_MS,
    clock: options.clock,
  });
  return new Response(toReadable(beating, options.abort, options.signal), {
    headers: { ...EVENT_HEADERS, ...options.headers },
  });
}

/** The same for HEAD: nobody would read the events, so nothing may be opened for them. */
export function respondWithoutEvents(headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(null, { headers: { ...EVENT_HEADERS, ...headers } });
}
