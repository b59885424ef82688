/** Owns publishing to one topic: an event, an array of events, or a text or bytes as they are. */
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import type { Append, NewEvent } from "../../durable-objects/topic/appending.ts";
import { essenceOf, formatOf, isContentType } from "../protocol/content-type.ts";
import { SluiceError } from "../protocol/errors.ts";
import { isEventName } from "../protocol/names.ts";
import { formatPosition } from "../protocol/position.ts";
import { DEFAULT_EVENT } from "../sse/topic-reader.ts";
import type { AppContext } from "./app-env.ts";
import { itemsOf, parseEnvelope } from "./parse-envelope.ts";
import { isPublishersId, readKey } from "./publish-key.ts";
import { readBody, readJson, readText } from "./read-json.ts";
import { bearingOf } from "./revocations.ts";
import { spendOn } from "./quota.ts";
import {
  ENVELOPE_SHAPE,
  envelopeSchema,
  idUnder,
  senderOf,
  toJsonEvent,
  toPayload,
} from "./topic-envelope.ts";
import { publishLines } from "./topic-lines.ts";
import { closeWanted } from "./topic-close.ts";
import { append, type TopicStub, topicOf } from "./topic-stub.ts";

/** Types of bodies that hold JSON, whatever they say: `curl -d` sends them with it. */
const JSON_TYPES: ReadonlySet<string> = new Set([
  "",
  "application/json",
  "application/x-www-form-urlencoded",
]);

/** What a bare `fetch` says of every text: in a topic of texts it is meant, in any other it is JSON. */
const USUAL_TEXT = "text/plain";

/**
 * Publishes a request's body. The topic comes into being with its first event, and ends with the
 * request's last one, in the same step, if `?close` says so.
 *
 * @throws SluiceError what {@link append} throws, `invalid_request`, `bad_name`, `message_too_large`; with the event's
 *   `index` and the field as `param`.
 */
export async function publish(c: AppContext): Promise<Response> {
  const { name, stub } = topicOf(c, "publish");
  const type = c.req.header("content-type") ?? "";
  const essence = essenceOf(type);
  const close = closeWanted(c, name);
  if (essence === "application/x-ndjson") return await publishLines(c, name, stub, close);
  const isRaw = essence === USUAL_TEXT ? await holdsText(c, stub) : !JSON_TYPES.has(essence);
  const key = await readKey(c);
  const events = isRaw ? [await readRaw(c, type, key)] : await readEvents(c, key);
  const request: Append = {
    events,
    contentType: isRaw ? type : "application/json",
    create: true,
    ...(key === undefined ? {} : { key: { prefix: key } }),
    close,
  };
  const { epoch, seqs } = await spendOn(
    c,
    { publishes: events.length },
    async () => await append(c, stub, request),
  );
  const positions = seqs.map((seq) => formatPosition({ epoch, seq }));
  return c.json({ topic: name, positions, position: positions.at(-1) }, 201);
}

async function holdsText(c: AppContext, stub: TopicStub): Promise<boolean> {
  // What the topic holds is not for everybody who sends it something.
  const description = unwrap(await stub.describeTo(bearingOf(c)));
  return description !== undefined && formatOf(description.settings.contentType) === "text";
}

async function readEvents(c: AppContext, key: string | undefined): Promise<readonly NewEvent[]> {
  const items = itemsOf(await readJson(c), "events");
  const sender = senderOf(c);
  return items.map((item, index) => {
    const envelope = parseEnvelope(envelopeSchema, item, {
      what: `Event ${index}`,
      shape: ENVELOPE_SHAPE,
      members: { index },
    });
    return toJsonEvent(envelope, { sender, key, nth: index, index });
  });
}

/** A body that is the data of one event; its name and id are in the query. */
async function readRaw(c: AppContext, type: string, key: string | undefined): Promise<NewEvent> {
  const event = c.req.query("event") ?? DEFAULT_EVENT;
  if (!isEventName(event)) throw new SluiceError("bad_name", { param: "event" });
  const own = c.req.query("id") ?? "";
  if (own !== "" && !isPublishersId(own)) throw new SluiceError("bad_name", { param: "id" });
  if (!isContentType(type)) {
    throw new SluiceError("invalid_request", { detail: "The content type is none." });
  }
  const data = formatOf(type) === "text" ? await readText(c) : await readBody(c);
  const id = own === "" ? idUnder(key, 0) : own;
  return { event, payload: toPayload(data), id, sender: senderOf(c) };
}
