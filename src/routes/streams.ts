/**
 * Owns the door of the Durable Streams protocol, version 1.0: a second way to the same topics.
 * Refuses to know what a topic does with what it is given.
 */
import { Hono } from "hono";
import { SluiceError } from "../protocol/errors.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { appendToStream } from "./stream-append.ts";
import { createStream } from "./stream-create.ts";
import * as h from "./stream-headers.ts";
import { readLive } from "./stream-live.ts";
import { readLongPoll, readOnce } from "./stream-read.ts";
import { missing } from "./stream-stub.ts";
import { unrevoked } from "./revocations.ts";
import { topicOf } from "./topic-stub.ts";

const PATH = "/v1/stream/:topic";

export function streamRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .use(PATH, async (c, next) => {
      await next();
      // Streams hold what anybody has written: no browser is to guess what it is.
      c.header("x-content-type-options", "nosniff");
      c.header("cross-origin-resource-policy", "cross-origin");
    })
    .get(PATH, async (c) => await read(c))
    .post(PATH, async (c) => await appendToStream(c))
    .put(PATH, async (c) => await createStream(c))
    .delete(PATH, async (c) => {
      const stub = await unrevoked(c, topicOf(c, "admin").stub);
      if (!(await stub.delete())) throw await missing(stub);
      return c.body(null, 204);
    });
}

async function read(c: AppContext): Promise<Response> {
  await unrevoked(c, topicOf(c, "read").stub);
  if (c.req.raw.method === "HEAD") return await describe(c);
  const live = c.req.query("live");
  if (live === "long-poll") return await readLongPoll(c);
  if (live === "sse") return await readLive(c);
  if (live === undefined) return await readOnce(c);
  throw new SluiceError("invalid_request", { detail: "Expected long-poll or sse.", param: "live" });
}

/** `HEAD`: what the stream is. */
async function describe(c: AppContext): Promise<Response> {
  const { stub } = topicOf(c, "read");
  const description = await stub.describe();
  if (description === undefined) throw await missing(stub);
  const { settings, ending } = description;
  const { contentType, ttlMs, expiresAt } = settings;
  return c.body(null, 200, {
    ...h.describeEnd({ ...description, isClosed: ending !== undefined }),
    "content-type": contentType,
    "cache-control": "no-store",
    ...(ttlMs === undefined ? {} : { [h.TTL]: String(Math.floor(ttlMs / 1_000)) }),
    ...(expiresAt === undefined ? {} : { [h.EXPIRES_AT]: new Date(expiresAt).toISOString() }),
  });
}
