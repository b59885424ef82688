/**
 * Owns publishing a body of NDJSON as it arrives: what has come is durable before more is read, so a
 * fast publisher is slowed down to what the topic takes (B1). Refuses to know how long the body is.
 */
import * as v from "valibot";
import type { Append, NewEvent } from "../../durable-objects/topic/appending.ts";
import { SluiceError } from "../protocol/errors.ts";
import { LINES_IDLE_MS, MAX_EVENT_BYTES, MAX_PUBLISH_MESSAGES } from "../protocol/limits.ts";
import { isMessageId } from "../protocol/names.ts";
import { formatPosition, parsePosition } from "../protocol/position.ts";
import { readLines } from "../stream/read-lines.ts";
import { readPieces } from "../stream/read-pieces.ts";
import type { AppContext } from "./app-env.ts";
import { parseEnvelope } from "./parse-envelope.ts";
import { isPublishersId, readKey } from "./publish-key.ts";
import { parseJson, refuseCompressed } from "./read-json.ts";
import { requireAccess } from "./require-access.ts";
import {
  type Envelope,
  ENVELOPE_SHAPE,
  envelopeEntries,
  envelopeSchema,
  senderOf,
  toJsonEvent,
} from "./topic-envelope.ts";
import { spend, spendOn } from "./quota.ts";
import { append, type TopicStub } from "./topic-stub.ts";

/** Bytes of a line: the largest event, all of it escaped: six for a character that else takes two. */
const MAX_LINE_BYTES = 3 * MAX_EVENT_BYTES;

/**
 * Publishes each line as an event, and answers with how many and the last one's position. The end, if
 * one is asked for, follows when all lines are stored: which is the last is not known before.
 *
 * @throws SluiceError for a line that is no event, or what {@link append} throws; its members say which
 *   line, and how many events were published before.
 */
export async function publishLines(
  c: AppContext,
  topic: string,
  stub: TopicStub,
  close: Append["close"],
): Promise<Response> {
  refuseCompressed(c);
  const sender = senderOf(c);
  const key = await readKey(c);
  let published = 0;
  let position: string | undefined;
  let line = 0;
  const publishAll = async (lines: readonly Line[]): Promise<void> => {
    if (lines.length === 0) return;
    // A body may take longer than its token lasts.
    requireAccess(c, "topics", topic, "publish");
    const request: Append = {
      events: lines.map(({ event }) => event),
      contentType: "application/json",
      create: true,
      // Where lines are cut into requests to the object is chance: a repetition may find some of them.
      ...(key === undefined ? {} : { key: { prefix: key, isPart: true } }),
    };
    const { epoch, seqs } = await spendOn(
      c,
      { publishes: lines.length },
      async () => await append(c, stub, request),
    );
    published += lines.length;
    const seq = seqs.at(-1);
    if (seq !== undefined) position = formatPosition({ epoch, seq });
  };
  /** Up to the line that is refused: how many came with one read is chance, and changes nothing. */
  const publish = async (lines: readonly Line[]): Promise<void> => {
    try {
      await publishAll(lines);
    } catch (thrown) {
      const refused = refusedIndex(thrown);
      if (refused === 0 || refused >= lines.length) throw locate(thrown, lines[refused]);
      await publish(lines.slice(0, refused));
      await publish(lines.slice(refused));
    }
  };
  try {
    for await (const lines of readLines(readCounted(c), MAX_LINE_BYTES)) {
      let events: Line[] = [];
      try {
        for (const text of lines) {
          line += 1;
          if (text.trim() === "") continue;
          const parsed = parseLine(text);
          if (parsed === undefined) continue;
          events.push({ line, event: toJsonEvent(parsed, { sender, key, nth: line }) });
          if (events.length < MAX_PUBLISH_MESSAGES) continue;
          const batch = events;
          events = [];
          await publish(batch);
        }
      } finally {
        // What came before a bad line counts.
        await publish(events);
      }
    }
    if (close !== undefined) {
      requireAccess(c, "topics", topic, "admin");
      await append(c, stub, { events: [], contentType: "application/json", create: true, close });
    }
  } catch (thrown) {
    throw describe(thrown, { line, published, ...(position === undefined ? {} : { position }) });
  }
  return c.json({ topic, count: published, position: position ?? null }, 201);
}

/** An event, and where it stands. */
interface Line {
  readonly line: number;
  readonly event: NewEvent;
}

/** Which of the events published together was refused; infinite when it is not one of them. */
function refusedIndex(thrown: unknown): number {
  if (!(thrown instanceof SluiceError)) return Number.POSITIVE_INFINITY;
  const { code, members = {} } = thrown;
  const { index, remaining } = members;
  if (code === "idempotency_conflict" && typeof index === "number") return index;
  // There may be fewer left than were asked for.
  if (code === "quota_exceeded" && typeof remaining === "number") return remaining;
  return Number.POSITIVE_INFINITY;
}

/** The same refusal, with the line that it is about. */
function locate(thrown: unknown, at: Line | undefined): unknown {
  if (!(thrown instanceof SluiceError) || at === undefined) return thrown;
  const { code, detail, retryAfter, members: { index: _index, ...members } = {} } = thrown;
  return new SluiceError(code, {
    detail,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    members: { ...members, line: at.line },
  });
}

/** The body's pieces; each is paid for before it is looked at. */
async function* readCounted(c: AppContext): AsyncGenerator<Uint8Array, void, undefined> {
  const body: ReadableStream<Uint8Array> | null = c.req.raw.body;
  if (body === null) return;
  for await (const piece of readPieces(body, {
    clock: c.var.deps.clock,
    idleMs: Math.max(LINES_IDLE_MS, c.var.config.bodyIdleMs),
  })) {
    await spend(c, { bytes: piece.byteLength });
    yield piece;
  }
}

/** An event as an export wrote it: where and when it stood says nothing about where it stands now. */
const exportedSchema = v.strictObject({
  ...envelopeEntries,
  // One that came of a key was the server's, and is no event's own.
  id: v.optional(
    v.pipe(
      v.string(),
      v.check(isMessageId),
      v.transform((id) => (isPublishersId(id) ? id : undefined)),
    ),
  ),
  position: v.pipe(
    v.string(),
    v.check((text) => parsePosition(text) !== undefined),
  ),
  at: v.pipe(v.number(), v.integer(), v.minValue(0)),
});

/** What an export says that was lost before it was made. */
const gapSchema = v.strictObject({
  gap: v.strictObject({ reason: v.string(), from: v.string(), to: v.string() }),
});

/** Undefined for a line of an export that is no event; one that says that it broke off is refused. */
function parseLine(text: string): Envelope | undefined {
  const line = parseJson(text);
  if (has(line, "gap")) {
    parseEnvelope(gapSchema, line, { shape: "{gap: {reason, from, to}}, a line of an export" });
    return undefined;
  }
  if (has(line, "error") && !has(line, "data")) {
    throw new SluiceError("invalid_request", { detail: "here the export broke off." });
  }
  const schema = has(line, "position") ? exportedSchema : envelopeSchema;
  return parseEnvelope(schema, line, { shape: `${ENVELOPE_SHAPE}, or a line of an export` });
}

function has(line: unknown, field: string): boolean {
  return typeof line === "object" && line !== null && Object.hasOwn(line, field);
}

function tellPublished(count: number): string {
  return count === 1 ? "1 event was published" : `${count} events were published`;
}

function describe(
  thrown: unknown,
  members: { readonly line: number; readonly published: number },
): SluiceError {
  if (!(thrown instanceof SluiceError)) {
    // The body broke off; whoever sent it is gone, or will want to know what counted.
    return new SluiceError("invalid_request", {
      detail: `The body could not be read to its end; ${tellPublished(members.published)}.`,
      members,
      cause: thrown,
    });
  }
  const { code, detail, param, retryAfter } = thrown;
  // A line that could not be read at all says itself which it is.
  const all = { ...members, ...thrown.members };
  return new SluiceError(code, {
    detail: `Line ${all.line}: ${detail} So far ${tellPublished(all.published)}.`,
    ...(param === undefined ? {} : { param }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    members: all,
  });
}
