import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { call, TopicHttp } from "../support/topic-http.ts";
import { until } from "../support/until.ts";

/** Bytes of an event's data in these tests. */
const EVENT = "x".repeat(1_000);

describe("[B1] a reader that stops reading", () => {
  it("[B1] [B3] [I5] costs a cursor, and goes on from the log", async () => {
    const topic = new TopicHttp("b1-stalled");
    const stalled = await topic.events();
    const quick = await topic.events();
    await Promise.all([stalled.read(), quick.read()]);
    await until("both are read", async () => (await topic.stats())["live"] === 2);
    const rounds = 20;
    for (let round = 0; round < rounds; round += 1) {
      await topic.publish(
        Array.from({ length: 100 }, (_, index) => ({ data: `${round * 100 + index} ${EVENT}` })),
      );
      // The other reader is not held up.
      await quick.take(100);
    }
    const stats = await topic.stats();
    expect(stats).toMatchObject({ lagging: 1 });
    // A window, and the flush that opened it.
    expect(stats["outstandingBytes"]).toBeLessThan(512 * 1024);
    await evictDurableObject(topic.stub);
    const data = await stalled.take(rounds * 100);
    expect(data.map((text) => Number.parseInt(text.slice(1), 10))).toEqual(
      Array.from({ length: rounds * 100 }, (_, index) => index),
    );
    await topic.publish({ data: "live again" });
    expect(await stalled.take(1)).toEqual(['"live again"']);
    await Promise.all([stalled.close(), quick.close()]);
  });

  it("[B3] is sent away where the topic says so, and resumes", async () => {
    const topic = new TopicHttp("b3-disconnect");
    await topic.create({ laggards: "disconnect" });
    const reader = await topic.events();
    await reader.read();
    await until("it is read", async () => (await topic.stats())["live"] === 1);
    for (let round = 0; round < 10; round += 1) {
      await topic.publish(Array.from({ length: 100 }, () => ({ data: EVENT })));
    }
    const events = await reader.rest();
    expect(events.at(-1)?.event).toBe("error");
    const got = events.length - 1;
    expect(got).toBeLessThan(1_000);
    const again = await topic.events("", reader.lastEventId);
    expect(await again.take(1_000 - got)).toHaveLength(1_000 - got);
    await again.close();
  });
});

describe("[S6] where only the newest counts", () => {
  it("[S6] a reader at a hundredth of the feed's rate gets the newest of each key, memory flat", async () => {
    const topic = new TopicHttp("s6-latest");
    await topic.create({ laggards: { latest: "symbol" } });
    const reader = await topic.events();
    await reader.read();
    await until("it is read", async () => (await topic.stats())["live"] === 1);
    const symbols = ["A", "B", "C", "D", "E"];
    const newest = new Map<string, number>();
    let tick = 0;
    const publishTen = async (): Promise<void> => {
      const events = Array.from({ length: 10 }, () => {
        tick += 1;
        const symbol = symbols[tick % symbols.length] ?? "";
        newest.set(symbol, tick);
        return { event: "price", data: { symbol, tick } };
      });
      await topic.publish(events);
    };
    const feedHundred = async (): Promise<void> => {
      for (let batch = 0; batch < 10; batch += 1) await publishTen();
    };
    // It lags from here on, and has a window of outdated ticks waiting.
    await feedHundred();
    const behind: number[] = [];
    let last = 0;
    for (let round = 0; round < 50; round += 1) {
      await feedHundred();
      const event = await reader.next();
      const told = JSON.parse(event?.data ?? "") as { tick: number };
      expect(told.tick).toBeGreaterThan(last);
      last = told.tick;
      behind.push(tick - told.tick);
      expect((await topic.stats())["outstandingBytes"]).toBeLessThan(64 * 1024);
    }
    // The window of the beginning has passed. A page holds the newest of its time and takes a read a
    // key to consume; the runtime between takes one page ahead.
    expect(Math.max(...behind.slice(30))).toBeLessThanOrEqual(2 * 100 * symbols.length);
    const stats = await topic.stats();
    expect(stats).toMatchObject({ latestKeys: symbols.length });
    // When the feed pauses, the reader has the newest of each after a page at most.
    const seen = new Map<string, number>();
    while (symbols.some((symbol) => seen.get(symbol) !== newest.get(symbol))) {
      const event = await reader.next();
      const told = JSON.parse(event?.data ?? "") as { symbol: string; tick: number };
      seen.set(told.symbol, told.tick);
    }
    // And then lives on.
    await topic.publish({ data: { symbol: "A", tick: -1 } });
    expect(await reader.take(1)).toEqual(['{"symbol":"A","tick":-1}']);
    await reader.close();
  });

  it("[S6] others are not affected, history is whole, and who comes late gets how things are", async () => {
    const topic = new TopicHttp("s6-late");
    await topic.create({ laggards: { latest: "k" } });
    await topic.publish(Array.from({ length: 60 }, (_, n) => ({ data: { k: n % 3, n } })));
    expect(await topic.page("?limit=1000")).toMatchObject({ events: { length: 60 } });
    await evictDurableObject(topic.stub);
    const reader = await topic.events();
    expect((await reader.take(3)).map((text) => JSON.parse(text) as unknown)).toEqual([
      { k: 0, n: 57 },
      { k: 1, n: 58 },
      { k: 2, n: 59 },
    ]);
    // Whoever keeps up gets everything.
    for (let n = 60; n < 70; n += 1) {
      await topic.publish({ data: { k: 0, n } });
      expect(await reader.take(1)).toEqual([JSON.stringify({ k: 0, n })]);
    }
    await reader.close();
  });
});

describe("[B4] large histories", () => {
  it("[B4] exports all of it, whatever its size, and releases its cursor when the reader leaves", async () => {
    const topic = new TopicHttp("b4-export");
    for (let round = 0; round < 20; round += 1) {
      await topic.publish(Array.from({ length: 200 }, (_, n) => ({ data: [round, n, EVENT] })));
    }
    const response = await call(topic.path, { headers: { accept: "application/x-ndjson" } });
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines).toHaveLength(4_000);
    const positions = lines.map((line) => (JSON.parse(line) as { position: string }).position);
    expect(positions).toEqual(positions.toSorted());
    const left = await call(topic.path, { headers: { accept: "application/x-ndjson" } });
    const reader = left.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await evictDurableObject(topic.stub);
    expect((await topic.stats())["events"]).toBe(4_000);
  });

  it("[B4] pages join without a gap and without a repetition", async () => {
    const topic = new TopicHttp("b4-pages");
    await topic.publish(Array.from({ length: 7 }, (_, n) => ({ data: n })));
    await topic.publish(Array.from({ length: 6 }, (_, n) => ({ data: 7 + n })));
    const seen: unknown[] = [];
    let query = "?limit=3";
    for (;;) {
      const page = (await topic.page(query)) as {
        events: readonly { data: number }[];
        next: string;
        done: boolean;
      };
      seen.push(...page.events.map(({ data }) => data));
      if (page.done) break;
      query = `?limit=3&after=${page.next}`;
    }
    expect(seen).toEqual(Array.from({ length: 13 }, (_, n) => n));
  });
});

describe("[B1] a streaming body", () => {
  it("[B1] is published as it arrives, and no faster than the topic takes it", async () => {
    const topic = new TopicHttp("b1-lines");
    const pipe = new TransformStream<Uint8Array, Uint8Array>();
    const writer = pipe.writable.getWriter();
    const encoder = new TextEncoder();
    const answer = call(topic.path, {
      method: "POST",
      body: pipe.readable,
      headers: { "content-type": "application/x-ndjson" },
    });
    const reader = await topic.events();
    await writer.write(encoder.encode('{"data":1}\n{"da'));
    expect(await reader.take(1)).toEqual(["1"]);
    await writer.write(encoder.encode('ta":2}\r\n\n{"event":"tick","data":"é'));
    expect(await reader.take(1)).toEqual(["2"]);
    await writer.write(encoder.encode('"}'));
    await writer.close();
    expect(await reader.take(1)).toEqual(['"é"']);
    const response = await answer;
    expect(response.status).toBe(201);
    expect(await response.json()).toMatchObject({
      topic: "b1-lines",
      count: 3,
      position: reader.lastEventId,
    });
    await reader.close();
  });

  it.each([
    ["no JSON", "{data: 3}", "invalid_json"],
    ["no event", '{"event":"end","data":3}', "bad_name"],
    ["too large", JSON.stringify({ data: "x".repeat(300 * 1024) }), "message_too_large"],
    ["endless", JSON.stringify({ data: "x".repeat(1024 * 1024) }), "message_too_large"],
    ["not UTF-8", "\u00ff", "invalid_json"],
  ])("[B1] a line that is %s ends it; what came before counts", async (name, line, code) => {
    const topic = new TopicHttp(`b1-bad-${name.replaceAll(" ", "-")}`);
    const body = `{"data":1}\n{"data":2}\n${line}\n{"data":4}\n`;
    // A byte a character, so that one line can be what no text is.
    const bytes = Uint8Array.from(body, (char) => char.charCodeAt(0));
    const response = await topic.post(bytes, { "content-type": "application/x-ndjson" });
    expect(response.status).toBe(code === "message_too_large" ? 413 : 400);
    expect(await response.json()).toMatchObject({ code, line: 3, published: 2 });
    expect((await topic.stats())["events"]).toBe(2);
  });

  it("[B1] takes many lines, and repeats none under one key", async () => {
    const topic = new TopicHttp("b1-many");
    const body = Array.from({ length: 3_000 }, (_, n) => `{"data":${n}}`).join("\n");
    const headers = { "content-type": "application/x-ndjson", "idempotency-key": "import" };
    for (let round = 0; round < 2; round += 1) {
      const response = await topic.post(body, headers);
      expect(await response.json()).toMatchObject({ count: 3_000 });
    }
    const stats = await topic.stats();
    expect(stats["events"]).toBe(3_000);
    expect(stats["rows"]).toBeLessThan(50);
  });
});
