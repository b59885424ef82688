/** What a reader of a topic says about the answer that it wants. */
import { describe, expect, it } from "vitest";
import { call, TopicHttp } from "../support/topic-http.ts";

const BAD_NUMBERS = ["", "-1", "+1", "1.5", "1001", "0x10", "1e3", " 7", "١", "1000000", "null"];

describe("[W4] numbers in the query of a topic", () => {
  it.each(["0", ...BAD_NUMBERS])("[W4] refuses a limit of %j", async (limit) => {
    const response = await call(`/v1/topics/w4-limit?limit=${encodeURIComponent(limit)}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_request", param: "limit" });
  });

  it.each(BAD_NUMBERS)("[W4] [S1] refuses to stream from %j", async (from) => {
    const topic = new TopicHttp("w4-from");
    const response = await topic.subscribe(`?from=${encodeURIComponent(from)}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_request", param: "from" });
  });

  it.each([
    ["1", 1],
    ["007", 3],
    ["1000", 3],
  ])("[W4] a limit of %s gives %i of 3 events", async (limit, count) => {
    const topic = new TopicHttp(`w4-limit-${limit}`);
    await topic.publish([{ data: 1 }, { data: 2 }, { data: 3 }]);
    expect(await topic.page(`?limit=${limit}`)).toMatchObject({ events: { length: count } });
  });
});

describe("[E1] the kind of answer that a reader accepts", () => {
  it.each([
    ["text/event-stream", "text/event-stream; charset=utf-8"],
    ["application/json, Text/Event-Stream;q=0.1", "text/event-stream; charset=utf-8"],
    ["text/event-stream;q=0, application/json", "application/json"],
    ["text/event-stream; q=0.0, application/x-ndjson", "application/x-ndjson"],
    ["application/x-ndjson;q=0", "application/json"],
    ["*/*", "application/json"],
    ["text/*", "application/json"],
  ])("[E1] who accepts %s gets %s", async (accept, type) => {
    const topic = new TopicHttp("e1-accept");
    await topic.publish({ data: 1, id: "one" });
    const response = await call(topic.path, { headers: { accept } });
    expect(response.headers.get("content-type")).toBe(type);
    await response.body?.cancel();
  });
});
