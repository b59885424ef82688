/** Owns a room's history over HTTP: a page as JSON, all of it as NDJSON. Refuses to know the room itself. */
import type { From, PageSize } from "../../durable-objects/log/log.ts";
import { readEntries } from "../protocol/entries.ts";
import { rawToJson } from "../protocol/json.ts";
import { PAGE_BYTES } from "../protocol/limits.ts";
import { formatPosition } from "../protocol/position.ts";
import { openScope } from "../stream/abort.ts";
import { toReadable } from "../stream/to-readable.ts";
import type { AppContext } from "./app-env.ts";
import type { RoomStub } from "./room-stub.ts";

/** A message as HTTP gives it. */
interface ListedMessage {
  readonly position: string;
  readonly sender: string;
  readonly at: number;
  readonly event: string;
  readonly payload: unknown;
  readonly id: string;
}

/** Messages that are no longer stored, as positions after the first and up to the last of them. */
interface ListedGap {
  readonly reason: string;
  readonly from: string;
  readonly to: string;
}

interface Listing {
  readonly room: string;
  readonly messages: readonly ListedMessage[];
  /** To be given as `after` for the next page. */
  readonly next: string;
  readonly done: boolean;
  readonly gap?: ListedGap;
}

/** A page of messages, after a gap if there is one. */
export async function listMessages(
  stub: RoomStub,
  room: string,
  from: From,
  size: PageSize,
): Promise<Listing> {
  const { epoch, page } = await stub.read(from, size);
  if (page.kind === "gap") {
    const position = (seq: number): string => formatPosition({ epoch, seq });
    const rest = await listMessages(stub, room, { epoch, seq: page.to }, size);
    const gap = { reason: page.reason, from: position(page.from), to: position(page.to) };
    return { ...rest, gap };
  }
  const after = typeof from === "object" && "seq" in from ? from.seq : 0;
  const messages = listEntries(page, epoch).slice(Math.max(0, after + 1 - page.first));
  // A page ends with a whole row, which may hold more than was asked for.
  const shown = messages.slice(0, size.maxEntries);
  const next = shown.at(-1)?.position ?? formatPosition({ epoch, seq: page.last });
  return { room, messages: shown, next, done: page.done && shown.length === messages.length };
}

/**
 * All messages from a position on, a line each. Page by page as the reader takes them: neither here
 * nor in the object is there more than a page, and between pages the object may sleep (B4).
 */
export function exportMessages(c: AppContext, stub: RoomStub, from: From): Response {
  const scope = openScope(c.req.raw.signal);
  const gzip = acceptsGzip(c);
  return new Response(toReadable(readLines(stub, from, scope.signal), scope.abort), {
    headers: {
      "content-type": "application/x-ndjson",
      "cache-control": "no-store",
      // The runtime does the compressing; an export is worth it, unlike a live stream (P1).
      ...(gzip ? { "content-encoding": "gzip" } : {}),
    },
  });
}

/** `gzip` with any weight but zero (RFC 9110 §12.5.3). */
const GZIP = /(?:^|,)\s*gzip\s*(?:;\s*q=(?:1(?:\.0*)?|0?\.\d*[1-9]\d*)\s*)?(?:,|$)/i;

/** What the client wrote counts: the platform puts `br, gzip` into the header whatever it accepts. */
function acceptsGzip(c: AppContext): boolean {
  const written = c.req.raw.cf?.["clientAcceptEncoding"];
  return GZIP.test(typeof written === "string" ? written : (c.req.header("accept-encoding") ?? ""));
}

async function* readLines(
  stub: RoomStub,
  from: From,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  let at = from;
  while (!signal.aborted) {
    const { epoch, page } = await stub.read(at, { maxBytes: PAGE_BYTES, maxEntries: 1_000 });
    if (page.kind === "gap") {
      at = { epoch, seq: page.to };
      const { reason, from: first, to } = page;
      const position = (seq: number): string => formatPosition({ epoch, seq });
      const gap = { reason, from: position(first), to: position(to) };
      yield encoder.encode(`${JSON.stringify({ gap })}\n`);
      continue;
    }
    const after = typeof at === "object" && "seq" in at ? at.seq : 0;
    let text = "";
    for (const message of listEntries(page, epoch).slice(Math.max(0, after + 1 - page.first))) {
      text += `${JSON.stringify(message)}\n`;
    }
    if (text !== "") yield encoder.encode(text);
    if (page.done) return;
    at = { epoch, seq: page.last };
  }
}

function listEntries(
  page: { readonly first: number; readonly entries: Uint8Array },
  epoch: string,
): readonly ListedMessage[] {
  return [...readEntries(page.entries)].map(({ sender, at, event, payload, id }, index) => ({
    position: formatPosition({ epoch, seq: page.first + index }),
    sender,
    at,
    event,
    payload: rawToJson(payload),
    id,
  }));
}
