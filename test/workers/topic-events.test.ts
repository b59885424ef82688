import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { TopicHttp } from "../support/topic-http.ts";
import { until } from "../support/until.ts";

describe("[S1] a topic as an event stream", () => {
  it("[S1] [S2] answers at once, with the headers of a stream, before anything was published", async () => {
    const topic = new TopicHttp("s1-first-byte");
    const reader = await topic.events();
    const { headers } = reader.response;
    expect(headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(headers.get("cache-control")).toBe("no-cache, no-transform");
    await reader.read();
    expect(reader.comments).toEqual(["open"]);
    expect(reader.retry).toBeGreaterThanOrEqual(1_000);
    expect(reader.retry).toBeLessThanOrEqual(2_000);
    await reader.close();
  });

  it("[S1] [I7] forgets a reader who leaves, a thousand times", async () => {
    const topic = new TopicHttp("s1-leave");
    for (let round = 0; round < 20; round += 1) {
      const readers = await Promise.all(Array.from({ length: 50 }, () => topic.events()));
      await Promise.all(readers.map((reader) => reader.read()));
      await Promise.all(readers.map((reader) => reader.close()));
    }
    await until("nobody is left", async () => (await topic.stats())["connections"] === 0);
  });

  it("[S3] delivers what was published before anybody subscribed, and what comes then", async () => {
    const topic = new TopicHttp("s3-before");
    await topic.publish([{ data: 1 }, { data: { two: 2 } }]);
    const reader = await topic.events();
    expect(await reader.take(2)).toEqual(["1", '{"two":2}']);
    await topic.publish({ event: "tick", data: "three" });
    expect(await reader.next()).toMatchObject({ event: "tick", data: '"three"' });
    await reader.close();
  });

  it("[S3] lets a reader wait for a topic that does not exist, which stores nothing", async () => {
    const topic = new TopicHttp("s3-wait");
    const reader = await topic.events();
    await reader.read();
    await until("it is connected", async () => (await topic.stats())["live"] === 1);
    expect(await topic.stub.describe()).toBeUndefined();
    expect(await topic.page()).toMatchObject({ events: [], done: true, contentType: null });
    await topic.publish({ data: "first" });
    const first = await reader.next();
    expect(first).toMatchObject({ data: '"first"' });
    await topic.publish({ data: "second" });
    const resumed = await topic.events("", first?.id);
    expect(await resumed.take(1)).toEqual(['"second"']);
    await Promise.all([reader.close(), resumed.close()]);
  });

  it("[I1] sleeps between two events while a reader is connected", async () => {
    const topic = new TopicHttp("i1-sleep");
    await topic.publish({ data: 1 });
    const reader = await topic.events();
    expect(await reader.take(1)).toEqual(["1"]);
    for (const data of [2, 3]) {
      await evictDurableObject(topic.stub);
      await topic.publish({ data });
      expect(await reader.take(1)).toEqual([String(data)]);
    }
    await reader.close();
  });

  it("[I1] [S3] sleeps while a reader waits for a topic that does not exist yet", async () => {
    const topic = new TopicHttp("i1-wait");
    const reader = await topic.events("?from=now");
    await reader.read();
    await until("it is connected", async () => (await topic.stats())["live"] === 1);
    await evictDurableObject(topic.stub);
    const { position } = await topic.publish({ data: 1 });
    expect(await reader.next()).toMatchObject({ id: position, data: "1" });
    await reader.close();
  });
});
