/**
 * Owns what a body of a stream is as events, and events as a body: JSON is an array of messages,
 * everything else is bytes whose division nobody is promised. Refuses to know requests.
 */
import type { NewEvent } from "../../durable-objects/topic/appending.ts";
import { concat } from "../protocol/bytes.ts";
import { formatOf } from "../protocol/content-type.ts";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_EVENT_BYTES, MAX_STREAM_MESSAGES } from "../protocol/limits.ts";
import { DEFAULT_EVENT } from "../sse/topic-reader.ts";
import { parseJson } from "./read-json.ts";
import { toPayload } from "./topic-envelope.ts";

/** Bytes of one event of a long body; its encoding adds a few. */
const PIECE_BYTES = MAX_EVENT_BYTES - 16;

/**
 * The events of a body of this type. An array of JSON is one message for each element.
 *
 * @throws SluiceError `invalid_json`, `body_too_large`, `message_too_large`.
 */
export function toEvents(
  body: Uint8Array,
  contentType: string,
  sender: string,
): readonly NewEvent[] {
  return split(body, contentType).map((data) => ({
    event: DEFAULT_EVENT,
    payload: toPayload(data),
    id: "",
    sender,
  }));
}

function split(body: Uint8Array, contentType: string): readonly (string | Uint8Array)[] {
  if (body.byteLength === 0) return [];
  const format = formatOf(contentType);
  if (format === "json") {
    const value = parseJson(decode(body) ?? "");
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (items.length > MAX_STREAM_MESSAGES) {
      throw new SluiceError("body_too_large", {
        detail: `A body may hold ${MAX_STREAM_MESSAGES} messages at most.`,
      });
    }
    return items.map((item) => JSON.stringify(item));
  }
  const pieces: (string | Uint8Array)[] = [];
  for (let at = 0; at < body.byteLength; at += PIECE_BYTES) {
    const piece = body.subarray(at, at + PIECE_BYTES);
    // Text is stored as such where it is whole; a character cut in two would be lost.
    pieces.push((format === "text" ? decode(piece) : undefined) ?? piece);
  }
  return pieces;
}

/** Every byte of the text, a byte order mark included; undefined when it is not UTF-8. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The data of consecutive events as the body of an answer. */
export function toBody(data: readonly unknown[], contentType: string): Uint8Array {
  const encoder = new TextEncoder();
  if (formatOf(contentType) === "json") return encoder.encode(toArray(data));
  return concat(
    data.map((item) => (item instanceof Uint8Array ? item : encoder.encode(String(item)))),
  );
}

/** Messages of JSON, which are stored as texts, as an array. */
export function toArray(data: readonly unknown[]): string {
  return `[${data.map(String).join(",")}]`;
}

/**
 * The first `count` bytes, or messages of JSON, of events: whole events and the beginning of one.
 *
 * @throws SluiceError `invalid_request` when there are fewer.
 */
export function takeFirst(
  data: readonly unknown[],
  count: number,
  contentType: string,
): readonly (string | Uint8Array)[] {
  if (formatOf(contentType) === "json") {
    if (data.length < count) throw beyond();
    return data.slice(0, count).map(String);
  }
  const bytes = toBody(data, contentType);
  if (bytes.byteLength < count) throw beyond();
  return split(bytes.subarray(0, count), contentType);
}

function beyond(): SluiceError {
  return new SluiceError("invalid_request", {
    detail: "The fork would begin beyond what the stream holds.",
    param: "Stream-Fork-Sub-Offset",
  });
}
