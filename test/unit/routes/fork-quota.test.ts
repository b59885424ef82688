/** What a fork costs, and when: before anything of its source is read. */
import { expect, test } from "vitest";
import { Counters, type Want } from "../../../durable-objects/quota/counters.ts";
import type { Topic } from "../../../durable-objects/topic/topic.ts";
import { MAX_STREAM_MESSAGES } from "../../../src/protocol/limits.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { makeApp } from "../../support/make-app.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { TopicCore } from "../../support/topic-core.ts";

const TEXT = { "content-type": "text/plain" };
const JSON_TYPE = { "content-type": "application/json" };

/** Streams in memory, for a caller who may use so many bytes and publish so many events a day. */
function openStreams(limits: { readonly bytes: number; readonly publishes?: number }) {
  const clock = new FakeClock();
  const counters = new Counters(new MemorySql(), clock);
  const app = makeApp({ clock });
  const topics = new Map<string, Topic>();
  let reads = 0;
  const find = (name: string): Topic => {
    const topic = topics.get(name) ?? new TopicCore({ clock }).topic;
    topics.set(name, topic);
    return topic;
  };
  const stubOf = (topic: Topic) => ({
    describe: () => topic.describe(),
    isGone: () => topic.isGone(),
    bytesUpTo: (seq: number) => topic.bytesUpTo(seq),
    addFork: () => {},
    read: (...asked: Parameters<Topic["read"]>) => {
      reads += 1;
      return topic.read(...asked);
    },
    open: async (...asked: Parameters<Topic["open"]>) => ({
      ok: true,
      value: await topic.open(...asked),
    }),
  });
  const env = {
    QUOTA_BYTES_PER_DAY: String(limits.bytes),
    QUOTA_PUBLISHES_PER_DAY: String(limits.publishes ?? 1_000_000),
    QUOTAS: {
      idFromName: (name: string) => name,
      get: () => ({ take: async (wants: readonly Want[]) => counters.take(wants) }),
    },
    TOPICS: { getByName: (name: string) => stubOf(find(name)) },
  };
  const put = async (name: string, body = "", headers: Readonly<Record<string, string>> = {}) => {
    const response = await app.request(
      `http://localhost/v1/stream/${name}`,
      { method: "PUT", headers, ...(body === "" ? {} : { body }) },
      env,
    );
    const told = response.headers.get("ratelimit") ?? "";
    const left = Number(/"subject-bytes";r=(\d+)/.exec(told)?.[1]);
    const published = Number(/"subject-publishes";r=(\d+)/.exec(told)?.[1]);
    const text = await response.text();
    const { code, quota } = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
    return { status: response.status, left, published, code, quota };
  };
  return { put, find, clock, reads: () => reads };
}

const of = (source: string, more = {}) => ({
  "stream-forked-from": `/v1/stream/${source}`,
  ...more,
});

test("[E2] [B1] a fork that its caller cannot pay is refused before anything is copied", async () => {
  const { put, reads, find } = openStreams({ bytes: 25_000 });
  expect(await put("source", "x".repeat(14_000), TEXT)).toMatchObject({
    status: 201,
    left: 11_000,
  });
  const refused = await put("fork", "", of("source"));
  expect(refused).toMatchObject({ status: 429, code: "quota_exceeded", quota: "subject-bytes" });
  expect([refused.left, reads(), find("fork").describe()]).toEqual([11_000, 0, undefined]);
});

test("[E2] what a fork was held for and did not take comes back", async () => {
  const { put } = openStreams({ bytes: 100_000 });
  const messages = JSON.stringify(Array.from({ length: 500 }, (_, n) => n % 10));
  const { left } = await put("source", messages, JSON_TYPE);
  // A byte each, though stored with what is around it.
  expect(await put("fork", "", of("source"))).toMatchObject({ status: 201, left: left - 500 });
});

test("[E2] a fork that leaves early is held for what is before that only", async () => {
  const { put, find, clock } = openStreams({ bytes: 40_000 });
  await put("source", "x".repeat(1_000), TEXT);
  const topic = find("source");
  const offset = `${topic.describe()?.epoch}_${"1".padStart(16, "0")}`;
  const stored = topic.append({
    events: [{ event: "message", payload: encodeValue("y".repeat(39_000)), id: "", sender: "" }],
    contentType: "text/plain",
  });
  await clock.advance(10);
  await stored;
  const early = await put("early", "", of("source", { "stream-fork-offset": offset }));
  expect([early.status, early.left]).toEqual([201, 38_000]);
});

test("[E2] [I7] what is refused after it was paid for costs what was read, and no publish", async () => {
  const { put, reads } = openStreams({ bytes: 100_000, publishes: 10 });
  await put("source", "x".repeat(1_000), TEXT);
  const beyond = of("source", { "stream-fork-sub-offset": "5000", ...TEXT });
  const refused = await put("fork", "own", beyond);
  expect(refused).toMatchObject({ status: 400, code: "invalid_request", published: 9 });
  expect([refused.left, reads()]).toEqual([100_000 - 1_000 - 3 - 1_000, 1]);
});

test("[E2] who may not publish what goes with it copies nothing", async () => {
  const { put, reads } = openStreams({ bytes: 100_000, publishes: 1 });
  await put("source", "x".repeat(1_000), TEXT);
  const refused = await put("fork", "own", of("source", TEXT));
  expect(refused).toMatchObject({ status: 429, quota: "subject-publishes" });
  expect([refused.left, reads()]).toEqual([100_000 - 1_000 - 3, 0]);
});

test("[I5] of a source with too many events nothing is read and nothing is held", async () => {
  const { put, reads, find, clock } = openStreams({ bytes: 1_000_000 });
  const most = JSON.stringify(Array.from({ length: MAX_STREAM_MESSAGES }, () => 0));
  const { left } = await put("source", most, JSON_TYPE);
  const stored = find("source").append({
    events: [{ event: "message", payload: encodeValue("0"), id: "", sender: "" }],
    contentType: "application/json",
  });
  await clock.advance(10);
  await stored;
  expect(await put("fork", "", of("source"))).toMatchObject({
    status: 413,
    code: "body_too_large",
  });
  expect(reads()).toBe(0);
  expect((await put("other", "0", JSON_TYPE)).left).toBe(left - 1);
});

test("[S4] messages of JSON are counted as such whatever parameters its type has", async () => {
  const { put, find } = openStreams({ bytes: 100_000 });
  const type = { "content-type": "application/json; charset=utf-8" };
  await put("source", '["one","two","three"]', type);
  const epoch = find("source").describe()?.epoch ?? "";
  const start = `${epoch}_${"0".padStart(16, "0")}`;
  const point = { "stream-fork-offset": start, "stream-fork-sub-offset": "2" };
  expect((await put("fork", "", of("source", point))).status).toBe(201);
  expect(find("fork").describe()?.tail).toBe(2);
});
