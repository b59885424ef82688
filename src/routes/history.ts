/**
 * Owns a log's history over HTTP: a page of it, or all of it as lines. Entries go out as the JSON that
 * whoever owns the log makes of them. Refuses to know the object that keeps the log.
 */
import type { From, Gap, Page, PageSize } from "../../durable-objects/log/log.ts";
import { readEntries } from "../protocol/entries.ts";
import { SluiceError, toSluiceError } from "../protocol/errors.ts";
import type { Entry, Raw } from "../protocol/frames.ts";
import { describeGap } from "../protocol/gap.ts";
import { EXPORT_HELD_MS, EXPORT_PATIENCE_MS, PAGE_BYTES } from "../protocol/limits.ts";
import { formatPosition } from "../protocol/position.ts";
import { isPosition } from "../protocol/reader-start.ts";
import { openScope } from "../stream/abort.ts";
import { impatient } from "../stream/impatient.ts";
import { toReadable } from "../stream/to-readable.ts";
import { acceptsGzip } from "./accepts-gzip.ts";
import type { AppContext } from "./app-env.ts";
import { isHead } from "./is-head.ts";
import { holdConnection } from "./slots.ts";

/** What an object answers to one reading of its log. */
interface Read {
  readonly epoch: string;
  readonly page: Page | Gap;
}

/** A log that can be read piece by piece. */
export interface History<R extends Read> {
  readonly read: (from: From, size: PageSize) => Promise<R>;
  /** An entry as JSON. */
  readonly describe: (entry: Entry<Raw>, position: string, read: R) => string;
}

/** What an export needs besides the log. */
interface Export {
  readonly from: From;
  /** Throws when the reader may not read any more: an export takes as long as its reader likes. */
  readonly mayGoOn: () => Promise<void>;
}

/** A part of a history, after a gap if there is one. */
interface HistoryPage<R extends Read> {
  readonly read: R;
  /** What is no longer stored, as JSON. */
  readonly gap: string | undefined;
  /** The entries, as JSON. */
  readonly items: readonly string[];
  /** The position to go on after. */
  readonly next: string;
  readonly done: boolean;
}

/** Bytes read from the object at once for a page; a page of large entries has fewer of them. */
const PAGE_MAX_BYTES = 16 * PAGE_BYTES;

/** Entries read from the object at once for an export. */
const EXPORT_PAGE: PageSize = { maxBytes: 4 * PAGE_BYTES, maxEntries: 4_096 };

const TOO_SLOW = "Nothing was taken for too long: go on from the last position.";

/** A page of at most `maxEntries` entries. */
export async function readHistory<R extends Read>(
  history: History<R>,
  from: From,
  maxEntries: number,
): Promise<HistoryPage<R>> {
  const size = { maxEntries, maxBytes: PAGE_MAX_BYTES };
  let at = from;
  let lost: Gap | undefined;
  for (;;) {
    const read = await history.read(at, size);
    const { epoch, page } = read;
    if (page.kind === "gap") {
      // Trimmed once more since the last look: all of it is lost together.
      lost = lost === undefined ? page : { ...lost, to: page.to };
      at = { epoch, seq: page.to };
      continue;
    }
    const items = describePage(history, { read, page, from: at });
    // A page ends with a whole row, which may hold more than was asked for.
    const shown = items.slice(0, maxEntries);
    const left = items.length - shown.length;
    return {
      read,
      gap: lost === undefined ? undefined : describeGap(epoch, lost),
      items: shown,
      next: formatPosition({ epoch, seq: page.last - left }),
      done: page.done && left === 0,
    };
  }
}

/**
 * All entries from a position on, a line each. Page by page as the reader takes them: neither here nor
 * in the object is there more than a page, and between pages the object may sleep (B4). It counts as a
 * connection of its callers, and breaks off with a line that says so when its reader takes nothing for
 * {@link EXPORT_PATIENCE_MS}.
 *
 * @throws SluiceError `quota_exceeded`.
 */
export async function exportHistory<R extends Read>(
  c: AppContext,
  history: History<R>,
  { from, mayGoOn }: Export,
): Promise<Response> {
  const headers = {
    "content-type": "application/x-ndjson",
    "cache-control": "no-store",
    // The runtime does the compressing; an export is worth it, unlike a live stream (P1).
    ...(acceptsGzip(c) ? { "content-encoding": "gzip" } : {}),
  };
  if (isHead(c)) return new Response(null, { headers });
  const ended = await holdConnection(c, EXPORT_HELD_MS);
  const scope = openScope(c.req.raw.signal);
  const lines = impatient(readLines(history, { from, mayGoOn }, scope.signal), {
    clock: c.var.deps.clock,
    patienceMs: EXPORT_PATIENCE_MS,
    tooLate: () => describeBreak(new SluiceError("stream_interrupted", { detail: TOO_SLOW })),
    ended,
  });
  return new Response(toReadable(lines, scope.abort, scope.signal), { headers });
}

async function* readLines<R extends Read>(
  history: History<R>,
  { from, mayGoOn }: Export,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let next: From | undefined = from;
  while (next !== undefined && !signal.aborted) {
    const piece: Piece = await readPiece(history, next, mayGoOn);
    ({ next } = piece);
    if (piece.lines !== undefined) yield piece.lines;
  }
}

/** A part of an export. */
interface Piece {
  readonly lines: Uint8Array | undefined;
  /** Where to go on; undefined at the end. */
  readonly next: From | undefined;
}

/** Apart, so that nothing but the bytes is kept while they wait for their reader. */
async function readPiece<R extends Read>(
  history: History<R>,
  from: From,
  mayGoOn: Export["mayGoOn"],
): Promise<Piece> {
  try {
    await mayGoOn();
  } catch (thrown) {
    return { lines: describeBreak(thrown), next: undefined };
  }
  const read = await history.read(from, EXPORT_PAGE);
  const { epoch, page } = read;
  if (page.kind === "gap") {
    return { lines: encode(`{"gap":${describeGap(epoch, page)}}`), next: { epoch, seq: page.to } };
  }
  const lines = describePage(history, { read, page, from });
  return {
    lines: lines.length === 0 ? undefined : encode(lines.join("\n")),
    next: page.done ? undefined : { epoch, seq: page.last },
  };
}

/** The last line of an export that is not whole. */
function describeBreak(thrown: unknown): Uint8Array {
  const { code, detail } = toSluiceError(thrown);
  return encode(JSON.stringify({ error: { code, message: detail } }));
}

function encode(lines: string): Uint8Array {
  return new TextEncoder().encode(`${lines}\n`);
}

/** The entries of a page, without those that `from` says are known. */
function describePage<R extends Read>(
  { describe }: History<R>,
  { read, page, from }: { readonly read: R; readonly page: Page; readonly from: From },
): readonly string[] {
  const { epoch } = read;
  const after = isPosition(from) && from.epoch === epoch ? from.seq : 0;
  const items: string[] = [];
  let seq = page.first;
  for (const entry of readEntries(page.entries)) {
    if (seq > after) items.push(describe(entry, formatPosition({ epoch, seq }), read));
    seq += 1;
  }
  return items;
}
