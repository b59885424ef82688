import { describe, expect, it } from "vitest";
import { call, TopicHttp } from "../support/topic-http.ts";

const HOSTILE = [
  "a\rb\nc\r\nd",
  "\n\nevent: fake\nid: fake\ndata: fake\n\n",
  "nul \0 inside",
  "lone \ud800 surrogates \udfff",
  ": comment",
  "",
  "\u2028 and \u2029 and \ufeff",
];

describe("[S2] what is published arrives as it was", () => {
  it("[S2] JSON survives whatever it holds, in any place, and injects nothing", async () => {
    const topic = new TopicHttp("s2-json");
    await topic.publish(HOSTILE.map((data) => ({ data: { [data]: data } })));
    await topic.close();
    const reader = await topic.events();
    const events = await reader.rest();
    expect(events.map(({ event }) => event)).toEqual([...HOSTILE.map(() => undefined), "end"]);
    // JSON has no bytes for half a character, and so writes it as an escape.
    expect(events.slice(0, -1).map(({ data }) => JSON.parse(data) as unknown)).toEqual(
      HOSTILE.map((data) => ({ [data]: data })),
    );
  });

  it("[S2] text keeps its lines, whose breaks all arrive as LF", async () => {
    const topic = new TopicHttp("s2-text");
    await topic.create({ contentType: "text/plain; charset=utf-8" });
    const headers = { "content-type": "text/plain;charset=UTF-8" };
    for (const text of HOSTILE) {
      const bytes = new TextEncoder().encode(text);
      expect((await topic.post(bytes, headers)).status).toBe(201);
    }
    const reader = await topic.events();
    expect(await reader.take(HOSTILE.length)).toEqual(
      HOSTILE.map((text) => text.toWellFormed().replaceAll(/\r\n|\r/g, "\n")),
    );
    await reader.close();
  });

  it("[S2] text that is not UTF-8 is refused, not mended; a byte order mark is text", async () => {
    const topic = new TopicHttp("s2-broken");
    const headers = { "content-type": "text/csv" };
    const broken = await topic.post(Uint8Array.of(0x61, 0xff), headers);
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ code: "invalid_request" });
    await topic.post(new TextEncoder().encode("\ufeffa,b"), headers);
    expect(await topic.page()).toMatchObject({ events: [{ data: "\ufeffa,b" }] });
  });

  it("[S2] bytes arrive as base64", async () => {
    const topic = new TopicHttp("s2-bytes");
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const headers = { "content-type": "application/octet-stream" };
    const response = await topic.post(bytes, headers, "?event=chunk&id=c1");
    expect(response.status).toBe(201);
    const reader = await topic.events();
    const event = await reader.next();
    expect(event?.event).toBe("chunk");
    expect(Uint8Array.from(atob(event?.data ?? ""), (char) => char.charCodeAt(0))).toEqual(bytes);
    await reader.close();
    expect((await topic.post('{"data": 1}')).status).toBe(409);
  });

  it.each(["gap", "end", "error", "open", "a\nb", "a\rid: 1", "a\0", "", "é", "x".repeat(65)])(
    "[S2] refuses the event name %j",
    async (event) => {
      const topic = new TopicHttp("s2-names");
      const response = await topic.post(JSON.stringify({ event, data: 1 }));
      expect(response.status).toBe(400);
      expect((await topic.stats())["events"]).toBe(0);
    },
  );

  it.each(["a b", "a\n", "é", "x".repeat(65)])("[S2] refuses the id %j", async (id) => {
    const response = await new TopicHttp("s2-ids").post(JSON.stringify({ data: 1, id }));
    expect(response.status).toBe(400);
  });

  it.each(["a b", "-a", "a%0d%0ab", "%F0%9F%98%80", "x".repeat(129)])(
    "[S2] refuses the topic name %j",
    async (name) => {
      const response = await call(`/v1/topics/${name}`, { method: "POST", body: '{"data":1}' });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "bad_name" });
    },
  );
});

describe("[S3] publishing once", () => {
  it("[S3] a repeated id or key is stored once, and answered with its position", async () => {
    const topic = new TopicHttp("s3-once");
    const events = [{ data: 1 }, { data: 2 }];
    const first = await topic.publish(events, { "idempotency-key": "k" });
    expect(await topic.publish(events, { "idempotency-key": "k" })).toEqual(first);
    const named = await topic.publish({ data: 3, id: "three" });
    expect(await topic.publish({ data: 3, id: "three" })).toEqual(named);
    // Without either, two events are two.
    await topic.publish([{ data: 4 }, { data: 4 }]);
    expect((await topic.stats())["events"]).toBe(5);
  });

  it("[P2] an array shares a row", async () => {
    const topic = new TopicHttp("p2-row");
    await topic.publish(Array.from({ length: 200 }, (_, data) => ({ data })));
    expect(await topic.stats()).toMatchObject({ events: 200, rows: 1 });
  });

  it("[W4] refuses an event that is too large, and stores nothing", async () => {
    const topic = new TopicHttp("w4-large");
    const response = await topic.post(
      JSON.stringify([{ data: 1 }, { data: "x".repeat(300 * 1024) }]),
    );
    expect(response.status).toBe(413);
    expect(await topic.stub.describe()).toBeUndefined();
  });

  it.each([
    ["no object", 7, "invalid_request", undefined],
    ["no data", { event: "tick" }, "invalid_request", "data"],
    ["an event that is no text", { data: 1, event: 7 }, "invalid_request", "event"],
    ["an event that begins with a digit", { data: 1, event: "9bad" }, "bad_name", "event"],
    ["an event of the stream's own", { data: 1, event: "gap" }, "bad_name", "event"],
    ["an id with a space", { data: 1, id: "not ok" }, "bad_name", "id"],
    ["an id of the server's", { data: 1, id: "sluice.key.x" }, "bad_name", "id"],
    ["an unknown field", { data: 1, payload: 1 }, "invalid_request", "payload"],
    ["large data", { data: "x".repeat(300 * 1024) }, "message_too_large", "data"],
  ])("[W4][E1] says which event of a request has %s", async (name, bad, code, param) => {
    const topic = new TopicHttp(`w4-${name.replaceAll(/\W+/g, "-")}`);
    const refusal = async (response: Response): Promise<Record<string, unknown>> =>
      await response.json<Record<string, unknown>>();
    const fine = { data: 1 };
    for (const [body, index] of [
      [[fine, fine, bad], 2],
      [bad, 0],
    ] as const) {
      const problem = await refusal(await topic.post(JSON.stringify(body)));
      expect(problem).toMatchObject({ code, index });
      expect(problem["param"]).toBe(param);
      expect(problem["detail"]).toContain(`Event ${index}`);
    }
    const lines = [fine, fine, bad].map((line) => JSON.stringify(line)).join("\n");
    const line = await refusal(await topic.post(lines, { "content-type": "application/x-ndjson" }));
    expect(line).toMatchObject({ code, line: 3, published: 2 });
    expect(line["param"]).toBe(param);
    expect(await topic.stats()).toMatchObject({ events: 2 });
  });

  it("[W4][E1] a body that is too large as it is has no field and no index to blame", async () => {
    const topic = new TopicHttp("w4-raw");
    const response = await topic.post("x".repeat(300 * 1024), { "content-type": "text/csv" });
    expect(response.status).toBe(413);
    const problem = await response.json<Record<string, unknown>>();
    expect(problem["code"]).toBe("message_too_large");
    expect(problem).not.toHaveProperty("param");
    expect(problem).not.toHaveProperty("index");
  });

  it.each([0, 257])("[W4][E1] says how many events a request may hold, of %i", async (count) => {
    const body = JSON.stringify(Array.from({ length: count }, () => ({ data: 1, topic: "w4" })));
    for (const path of ["/v1/topics", "/v1/topics/w4-count"]) {
      const response = await call(path, { method: "POST", body });
      expect(await response.json()).toMatchObject({
        code: "invalid_request",
        detail: `A request publishes 1 to 256 events; this array holds ${count}.`,
      });
    }
  });
});

describe("[S7] publishing to several topics", () => {
  it("[S7] tells what came of each", async () => {
    const closed = new TopicHttp("batch-closed");
    await closed.create();
    await closed.close();
    const response = await call("/v1/topics", {
      method: "POST",
      body: JSON.stringify([
        { topic: "batch-a", data: 1 },
        { topic: "batch-closed", data: 2 },
        { topic: "batch-b", event: "tick", data: 3 },
        { topic: "batch-a", data: 4 },
      ]),
    });
    const { results } = await response.json<{ results: unknown }>();
    expect(results).toEqual([
      { topic: "batch-a", position: expect.stringMatching(/_0{15}1$/) as string },
      {
        topic: "batch-closed",
        error: expect.objectContaining({ code: "topic_closed" }) as unknown,
      },
      { topic: "batch-b", position: expect.stringMatching(/_0{15}1$/) as string },
      { topic: "batch-a", position: expect.stringMatching(/_0{15}2$/) as string },
    ]);
  });

  it.each([
    ["no topic", { data: 1 }, "invalid_request", "topic"],
    ["a topic with a slash", { data: 1, topic: "a/b" }, "bad_name", "topic"],
    ["no data", { topic: "batch-none" }, "invalid_request", "data"],
    [
      "large data",
      { topic: "batch-none", data: "x".repeat(300 * 1024) },
      "message_too_large",
      "data",
    ],
  ])("[S7][E1] says which event has %s, and publishes to none", async (_, bad, code, param) => {
    const body = JSON.stringify([{ topic: "batch-none", data: 1 }, bad]);
    const response = await call("/v1/topics", { method: "POST", body });
    expect(await response.json()).toMatchObject({ code, param, index: 1 });
    expect(await new TopicHttp("batch-none").stub.describe()).toBeUndefined();
  });

  it.each([{ topic: "batch-one", data: 1 }, {}, "batch-one", null])(
    "[S7][E1] takes an array, and not %j",
    async (body) => {
      const response = await call("/v1/topics", { method: "POST", body: JSON.stringify(body) });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "invalid_request" });
      expect(await new TopicHttp("batch-one").stub.describe()).toBeUndefined();
    },
  );

  it("[S7] refuses too many topics, and then publishes to none", async () => {
    const items = Array.from({ length: 33 }, (_, index) => ({ topic: `many-${index}`, data: 1 }));
    const response = await call("/v1/topics", { method: "POST", body: JSON.stringify(items) });
    expect(response.status).toBe(400);
    expect(await new TopicHttp("many-0").stub.describe()).toBeUndefined();
  });
});

describe("topic settings", () => {
  it("[S6] are fixed when the topic is created", async () => {
    const topic = new TopicHttp("put");
    const settings = { retention: { messages: 5 }, laggards: { latest: "symbol" } };
    const created = await topic.create(settings);
    expect(created.status).toBe(201);
    expect(await created.json()).toMatchObject({
      topic: "put",
      closed: false,
      contentType: "application/json",
      ...settings,
    });
    expect((await topic.create(settings)).status).toBe(200);
    const other = await topic.create({ retention: { messages: 6 } });
    expect(other.status).toBe(409);
    expect(await other.json()).toMatchObject({ code: "topic_exists" });
  });

  it.each([
    { retention: { messages: 0 } },
    { contentType: "none" },
    { laggards: "wait" },
    { laggards: { latest: "x" }, contentType: "text/plain" },
    { ttlMs: 1000, expiresAt: 5 },
    { expiresAt: 5 },
    { unknown: 1 },
    [],
    [{ ttlMs: 1000 }],
    "replay",
  ])("refuses %j", async (settings) => {
    const response = await new TopicHttp("put-bad").create(settings);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_request" });
  });
});
