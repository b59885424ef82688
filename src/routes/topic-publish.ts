/** Owns publishing to one topic: an event, an array of events, or a text or bytes as they are. */
import * as v from "valibot";
import type { NewEvent } from "../../durable-objects/topic/appending.ts";
import { essenceOf, formatOf, isContentType } from "../protocol/content-type.ts";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_PUBLISH_MESSAGES } from "../protocol/limits.ts";
import { isMessageId, isTopicEventName } from "../protocol/names.ts";
import { formatPosition } from "../protocol/position.ts";
import { DEFAULT_EVENT } from "../sse/topic-reader.ts";
import type { AppContext } from "./app-env.ts";
import { keyOf } from "./message-keys.ts";
import { readBody, readJson } from "./read-json.ts";
import { spend } from "./quota.ts";
import {
  envelopeSchema,
  EXPECTED_ENVELOPE,
  senderOf,
  toJsonEvent,
  toPayload,
} from "./topic-envelope.ts";
import { publishLines } from "./topic-lines.ts";
import { append, type TopicStub, topicOf } from "./topic-stub.ts";

/** Types of bodies that hold JSON, whatever they say: `curl -d` sends them with it. */
const JSON_TYPES: ReadonlySet<string> = new Set([
  "",
  "application/json",
  "application/x-www-form-urlencoded",
]);

/** What a bare `fetch` says of every text: in a topic of texts it is meant, in any other it is JSON. */
const USUAL_TEXT = "text/plain";

const publishSchema = v.union([
  envelopeSchema,
  v.pipe(v.array(envelopeSchema), v.minLength(1), v.maxLength(MAX_PUBLISH_MESSAGES)),
]);

/**
 * Publishes a request's body. The topic comes into being with its first event.
 *
 * @throws SluiceError what {@link append} throws, `invalid_request`, `message_too_large`.
 */
export async function publish(c: AppContext): Promise<Response> {
  const { name, stub } = topicOf(c);
  const type = c.req.header("content-type") ?? "";
  const essence = essenceOf(type);
  if (essence === "application/x-ndjson") return await publishLines(c, name, stub);
  const isRaw = essence === USUAL_TEXT ? await holdsText(stub) : !JSON_TYPES.has(essence);
  const events = isRaw ? [await readRaw(c, type)] : await readEvents(c);
  const contentType = isRaw ? type : "application/json";
  await spend(c, { publishes: events.length });
  const { epoch, seqs } = await append(stub, { events, contentType, create: true });
  const positions = seqs.map((seq) => formatPosition({ epoch, seq }));
  return c.json({ topic: name, positions, position: positions.at(-1) }, 201);
}

async function holdsText(stub: TopicStub): Promise<boolean> {
  const description = await stub.describe();
  return description !== undefined && formatOf(description.settings.contentType) === "text";
}

async function readEvents(c: AppContext): Promise<readonly NewEvent[]> {
  const result = v.safeParse(publishSchema, await readJson(c));
  if (!result.success) {
    throw new SluiceError("invalid_request", {
      detail: `Expected ${EXPECTED_ENVELOPE}, or an array of up to ${MAX_PUBLISH_MESSAGES} of these.`,
    });
  }
  const items = Array.isArray(result.output) ? result.output : [result.output];
  const sender = senderOf(c);
  const key = keyOf(c);
  return items.map((item, index) =>
    toJsonEvent(item, { sender, key: key(index, items.length === 1) }),
  );
}

/** A body that is the data of one event; its name and id are in the query. */
async function readRaw(c: AppContext, type: string): Promise<NewEvent> {
  const event = c.req.query("event") ?? DEFAULT_EVENT;
  if (!isTopicEventName(event)) throw new SluiceError("bad_name", { param: "event" });
  const id = c.req.query("id") ?? keyOf(c)(0, true) ?? "";
  if (id !== "" && !isMessageId(id)) throw new SluiceError("bad_name", { param: "id" });
  if (!isContentType(type)) {
    throw new SluiceError("invalid_request", { detail: "The content type is none." });
  }
  const bytes = await readBody(c);
  const data = formatOf(type) === "text" ? new TextDecoder().decode(bytes) : bytes;
  return { event, payload: toPayload(data), id, sender: senderOf(c) };
}
