/** Owns messages as publishers to a room write them in JSON. Refuses to know how they arrive, and who sends them. */
import * as v from "valibot";
import { SluiceError, toSluiceError } from "../protocol/errors.ts";
import type { Raw } from "../protocol/frames.ts";
import { jsonToRaw } from "../protocol/json.ts";
import { MAX_MESSAGE_BYTES } from "../protocol/limits.ts";
import { isEventName } from "../protocol/names.ts";
import { itemsOf, parseEnvelope } from "./parse-envelope.ts";
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

/**
 * The messages of a request's body: one, or an array of them.
 *
 * @throws SluiceError `invalid_request`, `bad_name`, `bad_payload`, `message_too_large`, with the message's
 *   `index` and the field as `param`.
 */
export function parseMessages(body: unknown): readonly Envelope[] {
  return itemsOf(body, "messages").map(parseMessage);
}

function parseMessage(item: unknown, index: number): Envelope {
  const { event, payload, id } = parseEnvelope(envelopeSchema, item, {
    what: `Message ${index}`,
    shape: "{event, payload, id?}, event and id as text",
    members: { index },
  });
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
