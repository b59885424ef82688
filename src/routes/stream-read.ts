/** Owns reading a stream in answers that end: what there is, or what comes within a while. Refuses to know the topic. */
import type { From, PageSize } from "../../durable-objects/log/log.ts";
import { expiryOf } from "../auth/principal.ts";
import { formatOf } from "../protocol/content-type.ts";
import { PAGE_BYTES } from "../protocol/limits.ts";
import { readFrames } from "../sse/gateway.ts";
import { openScope } from "../stream/abort.ts";
import type { AppContext } from "./app-env.ts";
import { openReader } from "./open-reader.ts";
import { permitHeaders } from "./require-access.ts";
import { unrevoked } from "./revocations.ts";
import { nextCursor } from "./stream-cursor.ts";
import { toBody } from "./stream-data.ts";
import * as h from "./stream-headers.ts";
import { offsetOf } from "./stream-offset.ts";
import { readStream, type StreamPage } from "./stream-stub.ts";
import { type TopicStub, topicOf } from "./topic-stub.ts";

/** What one answer holds; a row more at most. */
const CHUNK: PageSize = { maxBytes: 16 * PAGE_BYTES, maxEntries: 16_384 };

/** `GET` without `live`: everything from an offset on, a chunk at a time. */
export async function readOnce(c: AppContext): Promise<Response> {
  const from = offsetOf(c, false);
  const page = await readStream(topicOf(c, "read").stub, from, CHUNK);
  // What follows `now` is another thing each time.
  if (from === "now") return respond(c, page, { "cache-control": "no-store" });
  const etag = etagOf(page);
  const headers = { etag, "cache-control": "private, no-cache" };
  const known = c.req.header("if-none-match")?.split(",") ?? [];
  if (known.some((tag) => tag.trim().replace(/^W\//, "") === etag)) {
    return c.body(null, 304, { ...describePage(page), ...headers });
  }
  return respond(c, page, headers);
}

/** `GET` with `live=long-poll`: the same, but with nothing there it waits for something. */
export async function readLongPoll(c: AppContext): Promise<Response> {
  const from = offsetOf(c, true);
  const { name, stub } = topicOf(c, "read");
  let page = await readStream(stub, from, CHUNK);
  if (page.data.length === 0 && !page.isClosed) {
    const at: From = { epoch: page.epoch, seq: page.last };
    await waitForMore(c, { name, stub }, at);
    // What the caller might do when it came is no answer to what it may do now.
    await unrevoked(c, topicOf(c, "read").stub);
    page = await readStream(stub, at, CHUNK);
  }
  const headers = {
    "cache-control": "no-store",
    ...(isOver(page) ? {} : { [h.CURSOR]: nextCursor(c) }),
  };
  if (page.data.length === 0) return c.body(null, 204, { ...describePage(page), ...headers });
  return respond(c, page, { ...headers, etag: etagOf(page) });
}

/** Comes back when there is something after a position, the stream ends or is gone, or the time is over. */
async function waitForMore(
  c: AppContext,
  { name, stub }: { readonly name: string; readonly stub: TopicStub },
  resume: { readonly epoch: string; readonly seq: number },
): Promise<void> {
  const { deps, config } = c.var;
  const { clock } = deps;
  const socket = await openReader(stub, resume, permitHeaders(c, "topics", name));
  using scope = openScope(c.req.raw.signal);
  const stop = clock.after(config.longPollMs, () => {
    scope.abort(new DOMException("Nothing came.", "TimeoutError"));
  });
  const options = { clock, signal: scope.signal, expiresAt: expiryOf(c.var.principal) };
  try {
    for await (const frame of readFrames(socket, options)) {
      if (frame.kind !== "welcome") return;
    }
  } catch {
    // Why the object let go shows when it is read again.
  } finally {
    stop();
  }
}

function respond(
  c: AppContext,
  page: StreamPage,
  headers: Readonly<Record<string, string>>,
): Response {
  const body = toBody(page.data, page.contentType);
  return c.body(body as Uint8Array<ArrayBuffer>, 200, {
    ...describePage(page),
    "content-type": page.contentType,
    // What anybody may have written is not shown as a page of ours.
    ...(formatOf(page.contentType) === "binary" ? { "content-disposition": "attachment" } : {}),
    ...headers,
  });
}

function describePage(page: StreamPage): Record<string, string> {
  return {
    ...h.describeEnd({ epoch: page.epoch, tail: page.last, isClosed: isOver(page) }),
    ...(page.isDone ? { [h.UP_TO_DATE]: "true" } : {}),
  };
}

/** Whether whoever has this page has everything there will ever be. */
function isOver(page: StreamPage): boolean {
  return page.isClosed && page.isDone;
}

/** That a stream was closed changes what there is to know of it. */
function etagOf(page: StreamPage): string {
  const { epoch, after, last } = page;
  return `"${epoch}:${after}:${last}${isOver(page) ? ":c" : ""}"`;
}
