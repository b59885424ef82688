/**
 * Owns the native doors of topics: SSE and HTTP. Refuses to know what a topic does with what it is
 * given.
 */
import { Hono } from "hono";
import type { TopicDescription } from "../../durable-objects/topic/topic.ts";
import { parseTopicSettings } from "../../durable-objects/topic/settings.ts";
import { SluiceError } from "../protocol/errors.ts";
import { HISTORY_PAGE_EVENTS, MAX_HISTORY } from "../protocol/limits.ts";
import { formatPosition } from "../protocol/position.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { formatWanted } from "./format-wanted.ts";
import { readCount } from "./read-count.ts";
import { readOptionalJson } from "./read-json.ts";
import { parseFrom } from "./log-position.ts";
import { revoke, unrevoked } from "./revocations.ts";
import { closeTopic } from "./topic-close.ts";
import { respondWithTopicEvents } from "./topic-events.ts";
import { exportTopic, respondWithPage } from "./topic-history.ts";
import { publish } from "./topic-publish.ts";
import { topicOf } from "./topic-stub.ts";
import { respondWithTopicsEvents } from "./topics-events.ts";
import { publishToTopics } from "./topics-publish.ts";

export function topicRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/v1/topics", async (c) => await respondWithTopicsEvents(c))
    .post("/v1/topics", async (c) => await publishToTopics(c))
    .get("/v1/topics/:topic", async (c) => await read(c))
    .post("/v1/topics/:topic", async (c) => await publish(c))
    .put("/v1/topics/:topic", async (c) => await create(c))
    .delete("/v1/topics/:topic", async (c) => {
      const stub = await unrevoked(c, topicOf(c, "admin").stub);
      if (!(await stub.delete())) throw new SluiceError("not_found");
      return c.body(null, 204);
    })
    .post("/v1/topics/:topic/close", async (c) => await closeTopic(c))
    .post("/v1/topics/:topic/revocations", async (c) => {
      return await revoke(c, topicOf(c, "admin").stub);
    })
    .get("/v1/topics/:topic/stats", async (c) => {
      const stub = await unrevoked(c, topicOf(c, "admin").stub);
      return c.json(await stub.stats());
    });
}

async function read(c: AppContext): Promise<Response> {
  const format = formatWanted(c, ["sse", "ndjson"]);
  const { name, stub } = topicOf(c, format === "sse" ? "read" : "history");
  if (format === "sse") return await respondWithTopicEvents(c, name, stub);
  await unrevoked(c, stub);
  const from = parseFrom(c.req.query("after"));
  if (format === "ndjson") return await exportTopic(c, name, stub, from);
  const limit = readCount(c, "limit", { least: 1, most: MAX_HISTORY });
  return await respondWithPage(c, name, stub, { from, maxEntries: limit ?? HISTORY_PAGE_EVENTS });
}

async function create(c: AppContext): Promise<Response> {
  const { name, stub } = topicOf(c, "admin");
  await unrevoked(c, stub);
  const settings = parseTopicSettings(await readOptionalJson(c));
  if (settings.expiresAt !== undefined && settings.expiresAt <= c.var.deps.clock.now()) {
    throw new SluiceError("invalid_request", {
      detail: "expiresAt has passed.",
      param: "expiresAt",
    });
  }
  const result = await stub.create(settings);
  if (result === "different") throw new SluiceError("topic_exists");
  const description = await stub.describe();
  if (description === undefined) throw new SluiceError("not_found");
  return c.json(describe(name, description), result === "created" ? 201 : 200);
}

function describe(topic: string, { settings, epoch, tail, ending }: TopicDescription) {
  const { contentType, retention, ttlMs, expiresAt, laggards } = settings;
  const { maxEntries = null, maxBytes = null, maxAgeMs = null } = retention;
  return {
    topic,
    position: formatPosition({ epoch, seq: tail }),
    closed: ending !== undefined,
    contentType,
    retention: { messages: maxEntries, bytes: maxBytes, ageMs: maxAgeMs },
    ttlMs,
    expiresAt,
    laggards,
  };
}
