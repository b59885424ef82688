/**
 * Owns a stream as the protocol's event stream: `data` is what was appended, `control` says how far
 * that is. Refuses to know the topic itself: it reads frames.
 */
import { expiryOf } from "../auth/principal.ts";
import { formatOf } from "../protocol/content-type.ts";
import { toBase64 } from "../protocol/json.ts";
import { formatPosition } from "../protocol/position.ts";
import { type GatewayFrame, readFrames } from "../sse/gateway.ts";
import { respondWithEvents } from "../sse/response.ts";
import { openScope } from "../stream/abort.ts";
import { operate } from "../stream/closing.ts";
import type { AppContext } from "./app-env.ts";
import { openReader } from "./open-reader.ts";
import { permitHeaders } from "./require-access.ts";
import { openCounted } from "./slots.ts";
import { nextCursor } from "./stream-cursor.ts";
import { toArray, toBody } from "./stream-data.ts";
import * as h from "./stream-headers.ts";
import { offsetOf } from "./stream-offset.ts";
import { readStream } from "./stream-stub.ts";
import { topicOf } from "./topic-stub.ts";

/** Milliseconds until the client is asked to come back, so that caches may join readers. */
const CONNECTION_MS = 60_000;

/** `GET` with `live=sse`. */
export async function readLive(c: AppContext): Promise<Response> {
  const from = offsetOf(c, true);
  const { name, stub } = topicOf(c, "read");
  // Everything that can be refused is refused before the stream begins.
  const page = await readStream(stub, from, { maxBytes: 1, maxEntries: 1 });
  const { clock } = c.var.deps;
  const resume = { epoch: page.epoch, seq: page.after };
  const socket = await openCounted(
    c,
    { kind: "topic", name },
    async (slots) =>
      await openReader(stub, resume, { ...permitHeaders(c, "topics", name), ...slots }),
  );
  const scope = openScope(c.req.raw.signal);
  const stop = clock.after(CONNECTION_MS, () => {
    scope.abort(new DOMException("Come back.", "TimeoutError"));
  });
  const frames = readFrames(socket, {
    clock,
    signal: scope.signal,
    expiresAt: expiryOf(c.var.principal),
  });
  const isBinary = formatOf(page.contentType) === "binary";
  return respondWithEvents(
    describe(frames, {
      ...resume,
      contentType: page.contentType,
      cursor: () => nextCursor(c),
      release: stop,
    }),
    {
      clock,
      keepaliveMs: c.var.config.keepaliveMs,
      abort: scope.abort,
      headers: {
        // To the letter: clients of the protocol compare it.
        "content-type": "text/event-stream",
        ...(isBinary ? { [h.SSE_ENCODING]: "base64" } : {}),
      },
    },
  );
}

interface Start {
  readonly epoch: string;
  readonly seq: number;
  readonly contentType: string;
  readonly cursor: () => string;
  /** Called when the stream ends, in whatever way. */
  readonly release: () => void;
}

function describe(
  frames: AsyncIterable<GatewayFrame>,
  { epoch, seq, contentType, cursor, release }: Start,
): AsyncIterableIterator<Uint8Array> {
  const encoder = new TextEncoder();
  const toText = textOf(contentType);
  return operate(frames, async function* (source) {
    await using iterator = source;
    let last = seq;
    let tail = seq;
    const control = (isClosed: boolean): string => {
      const streamNextOffset = formatPosition({ epoch, seq: last });
      const more = isClosed
        ? { upToDate: true, streamClosed: true }
        : { streamCursor: cursor(), ...(last >= tail ? { upToDate: true } : {}) };
      return encode("control", JSON.stringify({ streamNextOffset, ...more }));
    };
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        const frame = next.value;
        switch (frame.kind) {
          case "welcome":
            tail = frame.head;
            // With more to come, the first control follows that.
            if (last >= tail) yield encoder.encode(control(false));
            break;
          case "deliver":
          case "latest": {
            const count = frame.entries.length;
            last = frame.kind === "deliver" ? frame.first + count - 1 : (frame.seqs.at(-1) ?? last);
            const data = toText(frame.entries.map(({ payload }) => payload));
            yield encoder.encode(encode("data", data) + control(false));
            break;
          }
          case "gap":
            // The client comes back and is refused in words that it knows.
            return;
          case "end":
            yield encoder.encode(control(true));
            return;
        }
      }
    } catch {
      // The client goes on from the last control it has.
    } finally {
      release();
    }
  });
}

/** An event as clients of the protocol look for it: no space after the colon that is not needed. */
function encode(event: string, data: string): string {
  const lines = data.split(/\r\n|\r|\n/);
  return `event: ${event}\n${lines.map(encodeLine).join("")}\n`;
}

/** The first space after the colon is not part of the line. */
function encodeLine(line: string): string {
  return line.startsWith(" ") ? `data: ${line}\n` : `data:${line}\n`;
}

/** Turns the data of consecutive events into the text of one. */
function textOf(contentType: string): (data: readonly unknown[]) => string {
  const format = formatOf(contentType);
  if (format === "json") return toArray;
  if (format === "binary") return (data) => toBase64(toBody(data, contentType));
  // Characters may be cut in two between appends.
  const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
  return (data) => decoder.decode(toBody(data, contentType), { stream: true });
}
