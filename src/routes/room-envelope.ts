/** Owns messages as publishers to a room write them in JSON. Refuses to know how they arrive, and who sends them. */
import * as v from "valibot";
import { SluiceError, toSluiceError } from "../protocol/errors.ts";
import type { Raw } from "../protocol/frames.ts";
import { jsonToRaw } from "../protocol/json.ts";
import { MAX_MESSAGE_BYTES, MAX_PUBLISH_MESSAGES } from "../protocol/limits.ts";
import { isEventName } from "../protocol/names.ts";
import { isPublishersId } from "./publish-key.ts";

const envelopeSchema = v.strictObject({
  event: v.pipe(v.string(), v.check(isEventName)),
  payload: v.unknown(),
  id: v.optional(v.pipe(v.string(), v.check(isPublishersId))),
});

/** A message as it was written, its payload as it goes over the wire. */
interface Envelope {
  readonly event: string;
  readonly payload: Raw;
  readonly id: string | undefined;
}

/** What is wrong with a name; the grammar is the protocol's (P15, P16). */
const GRAMMAR: Readonly<Record<string, string>> = {
  event:
    "an event has 1 to 64 of A–Z a–z 0–9 . _ : / -, the first a letter or _, and is none of gap, end, error, open.",
  id: "an id has 1 to 64 visible ASCII characters, and does not begin with sluice.key.",
};

/** Characters of a field's name that are shown to whoever wrote it. */
const SHOWN_CHARS = 64;

/**
 * The messages of a request's body: one, or an array of them.
 *
 * @throws SluiceError `invalid_request`, `bad_name`, `bad_payload`, `message_too_large`, with the message's
 *   `index` and the field as `param`.
 */
export function parseMessages(body: unknown): readonly Envelope[] {
  const items: readonly unknown[] = Array.isArray(body) ? body : [body];
  if (items.length < 1 || items.length > MAX_PUBLISH_MESSAGES) {
    throw new SluiceError("invalid_request", {
      detail: `A request publishes 1 to ${MAX_PUBLISH_MESSAGES} messages; this array holds ${items.length}.`,
    });
  }
  return items.map(parseMessage);
}

function parseMessage(item: unknown, index: number): Envelope {
  const result = v.safeParse(envelopeSchema, item, { abortEarly: true });
  if (!result.success) throw refusalOf(result.issues[0], index);
  const { event, payload, id } = result.output;
  return { event, payload: encode(payload, index), id };
}

function encode(payload: unknown, index: number): Raw {
  const facts = { param: "payload", members: { index } };
  let bytes: Raw;
  try {
    bytes = jsonToRaw(payload);
  } catch (thrown) {
    const { code, detail, cause } = toSluiceError(thrown);
    throw new SluiceError(code, { ...facts, detail: `Message ${index}: ${detail}`, cause });
  }
  if (bytes.byteLength > MAX_MESSAGE_BYTES) {
    const detail = `Message ${index}: a payload may have ${MAX_MESSAGE_BYTES} encoded bytes at most.`;
    throw new SluiceError("message_too_large", { ...facts, detail });
  }
  return bytes;
}

function refusalOf({ type, path }: v.BaseIssue<unknown>, index: number): SluiceError {
  const members = { index };
  const key = path?.[0].key;
  if (typeof key !== "string") {
    const detail = `Message ${index} is no object: expected {event, payload, id?} or an array of up to ${MAX_PUBLISH_MESSAGES} of these.`;
    return new SluiceError("invalid_request", { detail, members });
  }
  const param = key.slice(0, SHOWN_CHARS);
  if (type === "check") {
    return new SluiceError("bad_name", {
      detail: `Message ${index}: ${GRAMMAR[key]}`,
      param,
      members,
    });
  }
  const isKnown = Object.hasOwn(envelopeSchema.entries, key);
  const fault = isKnown ? `\`${param}\` is missing or of another type` : `\`${param}\` is unknown`;
  const detail = `Message ${index}: ${fault}. Expected {event, payload, id?}, event and id as text.`;
  return new SluiceError("invalid_request", { detail, param, members });
}
