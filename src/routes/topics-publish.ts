/** Owns publishing to several topics with one request. Each topic succeeds or fails by itself. */
import * as v from "valibot";
import type { NewEvent } from "../../durable-objects/topic/appending.ts";
import { type SluiceError as Refusal, SluiceError, toSluiceError } from "../protocol/errors.ts";
import { MAX_TOPICS_PER_PUBLISH } from "../protocol/limits.ts";
import { isTopicName } from "../protocol/names.ts";
import { formatPosition } from "../protocol/position.ts";
import type { AppContext } from "./app-env.ts";
import { itemsOf, parseEnvelope } from "./parse-envelope.ts";
import { readKey } from "./publish-key.ts";
import { countTopics, giveBackRefused } from "./quota.ts";
import { readJson } from "./read-json.ts";
import { requireAccess } from "./require-access.ts";
import { ENVELOPE_SHAPE, envelopeEntries, senderOf, toJsonEvent } from "./topic-envelope.ts";
import { append, openTopic } from "./topic-stub.ts";

const itemSchema = v.strictObject({
  topic: v.pipe(v.string(), v.check(isTopicName)),
  ...envelopeEntries,
});

const SHAPE = `${ENVELOPE_SHAPE}, with a topic`;

/** An event of the batch, and its place in it. */
interface Item {
  readonly index: number;
  readonly event: NewEvent;
}

/** What came of one event. */
type Result =
  | { readonly topic: string; readonly position: string }
  | { readonly topic: string; readonly error: { readonly code: string; readonly detail: string } };

/**
 * Publishes events to their topics; those of one topic in order and together. Answers with what came
 * of each, in the order of the request.
 *
 * @throws SluiceError `invalid_request`, `bad_name`, `message_too_large`, `forbidden`; then nothing was published.
 */
export async function publishToTopics(c: AppContext): Promise<Response> {
  const body = await readJson(c);
  if (!Array.isArray(body)) {
    throw new SluiceError("invalid_request", { detail: `Expected an array of ${SHAPE}.` });
  }
  const items = itemsOf(body, "events").map((item, index) =>
    parseEnvelope(itemSchema, item, { what: `Event ${index}`, shape: SHAPE, members: { index } }),
  );
  const sender = senderOf(c);
  const key = await readKey(c);
  const byTopic = new Map<string, Item[]>();
  for (const [index, { topic, ...envelope }] of items.entries()) {
    const group = byTopic.get(topic) ?? [];
    byTopic.set(topic, group);
    // Counted by topic: for each of them this is a request of its own.
    group.push({ index, event: toJsonEvent(envelope, { sender, key, nth: group.length, index }) });
  }
  if (byTopic.size > MAX_TOPICS_PER_PUBLISH) {
    throw new SluiceError("invalid_request", {
      detail: `One request publishes to ${MAX_TOPICS_PER_PUBLISH} topics at most.`,
    });
  }
  // Before anything is published: what is not allowed publishes nothing.
  for (const topic of byTopic.keys()) requireAccess(c, "topics", topic, "publish");
  await countTopics(c, byTopic.keys(), { publishes: items.length });
  const results: Result[] = [];
  await Promise.all(
    [...byTopic].map(async ([topic, group]) => {
      const outcome = await publishGroup(c, topic, group, key);
      for (const [nth, { index }] of group.entries()) {
        results[index] = { topic, ...outcome(nth) };
      }
    }),
  );
  return c.json({ results });
}

type Describe = (nth: number) => { position: string } | { error: { code: string; detail: string } };

async function publishGroup(
  c: AppContext,
  topic: string,
  group: readonly Item[],
  key: string | undefined,
): Promise<Describe> {
  try {
    const { epoch, seqs } = await append(c, openTopic(c, topic, "publish"), {
      events: group.map(({ event }) => event),
      contentType: "application/json",
      create: true,
      ...(key === undefined ? {} : { key: { prefix: key } }),
    });
    return (nth) => ({ position: formatPosition({ epoch, seq: seqs[nth] ?? 0 }) });
  } catch (thrown) {
    const { code, detail }: Refusal = toSluiceError(thrown);
    giveBackRefused(c, { publishes: group.length }, code);
    return () => ({ error: { code, detail } });
  }
}
