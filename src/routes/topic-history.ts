/**
 * Owns a topic's history over HTTP: a page as JSON, all of it as NDJSON. Data that is JSON goes out as
 * the text it is stored as. Refuses to know the topic itself.
 */
import type { From, PageSize } from "../../durable-objects/log/log.ts";
import type { TopicPage } from "../../durable-objects/topic/topic.ts";
import { formatOf } from "../protocol/content-type.ts";
import { readEntries } from "../protocol/entries.ts";
import type { Entry, Raw } from "../protocol/frames.ts";
import { toBase64 } from "../protocol/json.ts";
import { PAGE_BYTES } from "../protocol/limits.ts";
import { formatPosition } from "../protocol/position.ts";
import { decodeValue } from "../protocol/value.ts";
import { openScope } from "../stream/abort.ts";
import { toReadable } from "../stream/to-readable.ts";
import { acceptsGzip } from "./accepts-gzip.ts";
import type { AppContext } from "./app-env.ts";
import type { TopicStub } from "./topic-stub.ts";

/** Events read from the object at once for an export. */
const EXPORT_PAGE: PageSize = { maxBytes: 4 * PAGE_BYTES, maxEntries: 4_096 };

/** A page of history, after a gap if there is one. A topic that does not exist has an empty one. */
export async function respondWithPage(
  c: AppContext,
  topic: string,
  stub: TopicStub,
  query: { readonly from: From; readonly maxEntries: number },
): Promise<Response> {
  const size = { maxEntries: query.maxEntries, maxBytes: 16 * PAGE_BYTES };
  let read = await stub.read(query.from, size);
  let gap = "";
  if (read.page.kind === "gap") {
    gap = `"gap":${describeGap(read)},`;
    read = await stub.read({ epoch: read.epoch, seq: read.page.to }, size);
  }
  const { epoch, page, contentType, isClosed } = read;
  // Trimmed once more between the two: the client asks again and is told so.
  const events = page.kind === "gap" ? [] : listEvents(read, query.from);
  // A page ends with a whole row, which may hold more than was asked for.
  const shown = events.slice(0, query.maxEntries);
  const last = page.kind === "gap" ? page.from - 1 : page.last;
  const next = formatPosition({ epoch, seq: last - (events.length - shown.length) });
  const done = page.kind === "page" && page.done && shown.length === events.length;
  const body =
    `{"topic":${JSON.stringify(topic)},"contentType":${JSON.stringify(contentType ?? null)},` +
    `"closed":${isClosed},${gap}"events":[${shown.join(",")}],` +
    `"next":${JSON.stringify(next)},"done":${done}}`;
  return c.body(body, 200, { "content-type": "application/json", "cache-control": "no-store" });
}

/**
 * All events from a position on, a line each. Page by page as the reader takes them: neither here nor
 * in the object is there more than a page, and between pages the object may sleep (B4).
 */
export function exportTopic(c: AppContext, stub: TopicStub, from: From): Response {
  const scope = openScope(c.req.raw.signal);
  return new Response(toReadable(readLines(stub, from, scope.signal), scope.abort), {
    headers: {
      "content-type": "application/x-ndjson",
      "cache-control": "no-store",
      // The runtime does the compressing; an export is worth it, unlike a live stream (P1).
      ...(acceptsGzip(c) ? { "content-encoding": "gzip" } : {}),
    },
  });
}

async function* readLines(
  stub: TopicStub,
  from: From,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  let at = from;
  while (!signal.aborted) {
    const read = await stub.read(at, EXPORT_PAGE);
    const { epoch, page } = read;
    if (page.kind === "gap") {
      yield encoder.encode(`{"gap":${describeGap(read)}}\n`);
      at = { epoch, seq: page.to };
      continue;
    }
    const lines = listEvents(read, at);
    if (lines.length > 0) yield encoder.encode(`${lines.join("\n")}\n`);
    if (page.done) return;
    at = { epoch, seq: page.last };
  }
}

function describeGap({ epoch, page }: TopicPage): string {
  if (page.kind !== "gap") throw new Error("there is no gap to describe");
  const position = (seq: number): string => formatPosition({ epoch, seq });
  const { reason, from, to } = page;
  return JSON.stringify({ reason, from: position(from), to: position(to) });
}

/** The events of a page as JSON texts, without those before `from`. */
function listEvents({ epoch, page, contentType }: TopicPage, from: From): readonly string[] {
  if (page.kind === "gap") return [];
  const isJson = formatOf(contentType ?? "") === "json";
  const after = typeof from === "object" && "seq" in from && from.epoch === epoch ? from.seq : 0;
  const events: string[] = [];
  let seq = page.first;
  for (const entry of readEntries(page.entries)) {
    if (seq > after) events.push(describeEntry(entry, formatPosition({ epoch, seq }), isJson));
    seq += 1;
  }
  return events;
}

function describeEntry({ at, event, payload, id }: Entry<Raw>, position: string, isJson: boolean) {
  const value = decodeValue(payload);
  const text = value instanceof Uint8Array ? toBase64(value) : String(value);
  const data = isJson ? text : JSON.stringify(text);
  const name = id === "" ? "" : `,"id":${JSON.stringify(id)}`;
  return `{"position":"${position}","event":${JSON.stringify(event)},"at":${at},"data":${data}${name}}`;
}
