/** The last events of a topic and its end in one request. */
import { describe, expect, it } from "vitest";
import type { EventReader } from "../support/event-reader.ts";
import { TopicHttp } from "../support/topic-http.ts";

async function told(reader: EventReader): Promise<readonly string[]> {
  return (await reader.rest()).map(({ event = "message", data }) => `${event} ${data}`);
}

describe("[S5][I6] events and the end in one step", () => {
  it.each(["completed", "stopped", "failed"])("[S5] ends a topic as %s", async (outcome) => {
    const topic = new TopicHttp(`s5-close-${outcome}`);
    await topic.publish({ data: 1 });
    const reader = await topic.events();
    const body = JSON.stringify([{ data: 2 }, { data: 3, event: "done" }]);
    const response = await topic.post(body, {}, `?close=${outcome}`);
    expect(response.status).toBe(201);
    const end = `end {"outcome":"${outcome}"}`;
    expect(await told(reader)).toEqual(["message 1", "message 2", "done 3", end]);
    expect(await topic.page()).toMatchObject({ closed: true });
    const late = await topic.post('{"data":4}', {}, `?close=${outcome}`);
    expect(await late.json()).toMatchObject({ code: "topic_closed" });
  });

  it("[S5] makes a topic of one request, and tells whoever repeats it what it was", async () => {
    const topic = new TopicHttp("s5-close-new");
    const headers = { "idempotency-key": "k" };
    const send = async (): Promise<Response> =>
      await topic.post('{"data":1}', headers, "?close=completed");
    const first = await send();
    expect(first.status).toBe(201);
    expect(await (await send()).json()).toEqual(await first.json());
    expect(await told(await topic.events())).toEqual(["message 1", 'end {"outcome":"completed"}']);
  });

  it("[S5] stores neither when the events are refused", async () => {
    const topic = new TopicHttp("s5-close-refused");
    await topic.publish({ data: 1 }, { "idempotency-key": "k" });
    const other = await topic.post('{"data":2}', { "idempotency-key": "k" }, "?close=completed");
    expect(other.status).toBe(409);
    const text = await topic.post("a", { "content-type": "text/csv" }, "?close=completed");
    expect(text.status).toBeGreaterThanOrEqual(400);
    expect(await topic.page()).toMatchObject({ closed: false, events: [{ data: 1 }] });
  });

  it("[S5] ends a topic of texts, and one after the last line", async () => {
    const texts = new TopicHttp("s5-close-text");
    await texts.post("bye", { "content-type": "text/csv" }, "?close=stopped");
    expect(await told(await texts.events())).toEqual(["message bye", 'end {"outcome":"stopped"}']);
    const lines = new TopicHttp("s5-close-lines");
    const ndjson = { "content-type": "application/x-ndjson" };
    await lines.post('{"data":1}\n{"data":2}\n{"da', ndjson, "?close=completed");
    expect(await lines.page()).toMatchObject({ closed: false });
    await lines.post('{"data":3}\n', ndjson, "?close=completed");
    const end = 'end {"outcome":"completed"}';
    expect(await told(await lines.events())).toEqual(["message 1", "message 2", "message 3", end]);
  });

  it.each(["", "true", "gap"])("[S5] refuses ?close=%s", async (close) => {
    const topic = new TopicHttp("s5-close-other");
    const response = await topic.post('{"data":1}', {}, `?close=${close}`);
    expect(await response.json()).toMatchObject({ code: "invalid_request", param: "close" });
    expect((await topic.stats())["events"]).toBe(0);
  });
});
