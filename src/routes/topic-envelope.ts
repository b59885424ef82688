/** Owns events as publishers write them in JSON, and as topics take them. Refuses to know how they arrive. */
import * as v from "valibot";
import type { NewEvent } from "../../durable-objects/topic/appending.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { Raw } from "../protocol/frames.ts";
import { MAX_EVENT_BYTES } from "../protocol/limits.ts";
import { isEventName } from "../protocol/names.ts";
import { encodeValue } from "../protocol/value.ts";
import { DEFAULT_EVENT } from "../sse/topic-reader.ts";
import type { AppContext } from "./app-env.ts";
import { isPublishersId } from "./publish-key.ts";

/** The fields of an event in JSON. */
export const envelopeEntries = {
  event: v.optional(v.pipe(v.string(), v.check(isEventName)), DEFAULT_EVENT),
  data: v.unknown(),
  id: v.optional(v.pipe(v.string(), v.check(isPublishersId))),
};

export const envelopeSchema = v.strictObject(envelopeEntries);

/** An event as it was written. */
export type Envelope = v.InferOutput<typeof envelopeSchema>;

/** An event's fields as people write them. */
export const ENVELOPE_SHAPE = "{event?, data, id?}, event and id as text";

/** Of whom an event is, and where it stands. */
interface Publisher {
  readonly sender: string;
  readonly key?: string | undefined;
  /** Its place among the events of the key. */
  readonly nth: number;
  /** Its place in a request that holds several. */
  readonly index?: number;
}

/**
 * The event for a topic of JSON.
 *
 * @throws SluiceError `message_too_large`.
 */
export function toJsonEvent(
  { event, data, id }: Envelope,
  { sender, key, nth, index }: Publisher,
): NewEvent {
  const payload = toPayload(JSON.stringify(data), {
    param: "data",
    ...(index === undefined ? {} : { members: { index } }),
  });
  return { event, payload, id: id ?? idUnder(key, nth), sender };
}

/** The id of the request's event number `nth` when it has none of its own. */
export function idUnder(key: string | undefined, nth: number): string {
  return key === undefined ? "" : `${key}${nth}`;
}

/** Where data stands in a request: in a field, of one of several events. Left out where it is all there is. */
interface Place {
  readonly param?: string;
  readonly members?: { readonly index: number };
}

/**
 * Text or bytes as they are stored.
 *
 * @throws SluiceError `message_too_large`.
 */
export function toPayload(data: string | Uint8Array, place: Place = {}): Raw {
  const payload = encodeValue(data);
  if (payload.byteLength <= MAX_EVENT_BYTES) return payload;
  const prefix = place.members === undefined ? "" : `Event ${place.members.index}: `;
  throw new SluiceError("message_too_large", {
    ...place,
    detail: `${prefix}An event's data may have ${MAX_EVENT_BYTES} bytes at most.`,
  });
}

/** Whose ids a publisher's ids are: publishers with tokens of their own do not meet. */
export function senderOf({ var: { principal } }: AppContext): string {
  return principal.kind === "subject" ? principal.subject : "";
}
