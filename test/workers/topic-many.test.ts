import { evictDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { EventReader } from "../support/event-reader.ts";
import { call, TopicHttp } from "../support/topic-http.ts";
import { until } from "../support/until.ts";

/** What an event of a stream of several topics says. */
interface Told {
  readonly topic: string;
  readonly data: unknown;
}

async function subscribe(names: readonly string[], query = "", id?: string): Promise<Response> {
  const topics = names.map((name) => `topic=${name}`).join("&");
  return await call(`/v1/topics?${topics}${query}`, {
    headers: { accept: "text/event-stream", ...(id === undefined ? {} : { "last-event-id": id }) },
  });
}

async function told(reader: EventReader, count: number): Promise<readonly Told[]> {
  return (await reader.take(count)).map((data) => JSON.parse(data) as Told);
}

describe("[S7] several topics over one connection", () => {
  it("[S7] tells whose each event is, keeps each topic's order, and resumes all with one id", async () => {
    const names = ["many-a", "many-b", "many-c"];
    const [a, b] = [new TopicHttp("many-a"), new TopicHttp("many-b")];
    await a.publish([{ data: 1 }, { data: 2 }]);
    await b.publish([{ data: { x: 1 } }]);
    const reader = new EventReader(await subscribe(names));
    const events = await told(reader, 3);
    expect(events.filter(({ topic }) => topic === "many-a").map(({ data }) => data)).toEqual([
      1, 2,
    ]);
    expect(events.filter(({ topic }) => topic === "many-b").map(({ data }) => data)).toEqual([
      { x: 1 },
    ]);
    const { lastEventId } = reader;
    await reader.close();
    await a.publish({ data: 3 });
    await new TopicHttp("many-c").publish({ event: "tick", data: "late" });
    // The order of the topics in the address does not matter.
    const again = new EventReader(await subscribe(names.toReversed(), "", lastEventId));
    const missed = await told(again, 2);
    expect(new Set(missed.map(({ topic, data }) => `${topic} ${String(data)}`))).toEqual(
      new Set(["many-a 3", "many-c late"]),
    );
    await again.close();
  });

  it("[S7] [S3] loses nothing of a quiet topic when the connection breaks", async () => {
    const names = ["quiet-a", "quiet-b"];
    const reader = new EventReader(await subscribe(names, "&from=now"));
    await until("both have told their position", async () => {
      await reader.read();
      return reader.lastEventId.split("~").every((part) => part !== "");
    });
    await reader.close();
    await new TopicHttp("quiet-b").publish({ data: "missed" });
    const again = new EventReader(await subscribe(names, "&from=now", reader.lastEventId));
    expect(await told(again, 1)).toEqual([{ topic: "quiet-b", data: "missed" }]);
    await again.close();
  });

  it("[S7] carries texts and bytes as JSON strings", async () => {
    const text = new TopicHttp("kinds-text");
    await text.create({ contentType: "text/plain" });
    await text.post("line\nline", { "content-type": "text/plain" });
    const bytes = new TopicHttp("kinds-bytes");
    await bytes.post(Uint8Array.of(0, 255), { "content-type": "application/octet-stream" });
    const reader = new EventReader(await subscribe(["kinds-text", "kinds-bytes"]));
    const events = await told(reader, 2);
    expect(new Map(events.map(({ topic, data }) => [topic, data]))).toEqual(
      new Map([
        ["kinds-text", "line\nline"],
        ["kinds-bytes", "AP8="],
      ]),
    );
    await reader.close();
  });

  it("[S7] [I6] ends when all topics have, and then sends browsers away", async () => {
    const [a, b] = [new TopicHttp("over-a"), new TopicHttp("over-b")];
    await a.publish({ data: 1 });
    await b.publish({ data: 2 });
    await a.close();
    const reader = new EventReader(await subscribe(["over-a", "over-b"]));
    const events = await told(reader, 3);
    expect(events).toContainEqual({ topic: "over-a", data: { outcome: "completed" } });
    await b.close({ data: "bye" });
    expect(await told(reader, 1)).toEqual([
      { topic: "over-b", data: { outcome: "completed", data: "bye" } },
    ]);
    expect(await reader.rest()).toEqual([]);
    expect((await subscribe(["over-a", "over-b"], "", reader.lastEventId)).status).toBe(204);
  });

  it("[S7] [I1] all topics sleep while they are read", async () => {
    const topics = ["sleep-a", "sleep-b"].map((name) => new TopicHttp(name));
    const reader = new EventReader(await subscribe(["sleep-a", "sleep-b"]));
    await reader.read();
    for (const topic of topics) {
      await until("it is read", async () => (await topic.stats())["live"] === 1);
      await evictDurableObject(topic.stub);
      await topic.publish({ data: 1 });
      expect(await told(reader, 1)).toEqual([{ topic: topic.name, data: 1 }]);
    }
    await reader.close();
    for (const topic of topics) {
      await until("nobody is left", async () => (await topic.stats())["connections"] === 0);
    }
  });

  it("[S7] refuses too many topics, none, and an id of other topics", async () => {
    const many = Array.from({ length: 33 }, (_, index) => `t${index}`);
    expect((await subscribe(many)).status).toBe(400);
    expect((await subscribe([])).status).toBe(400);
    expect((await subscribe(["a b"])).status).toBe(400);
    for (const format of ["ndjson", "json", "", "SSE"]) {
      const refused = await subscribe(["a", "b"], `&format=${format}`);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ code: "invalid_request", param: "format" });
    }
    const streamed = await subscribe(["a", "b"], "&format=sse");
    expect(streamed.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    await streamed.body?.cancel();
    const reader = new EventReader(await subscribe(["other-a"]));
    await until("it has an id", async () => {
      await reader.read();
      return reader.lastEventId !== "";
    });
    await reader.close();
    const response = await subscribe(["other-b"], `&lastEventId=${reader.lastEventId}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "bad_position" });
  });

  it("[S7] [I4] tells a browser with an id of other topics that it has lost something", async () => {
    const topic = new TopicHttp("astray");
    await topic.publish({ data: 1 });
    const reader = new EventReader(await subscribe([topic.name], "", "yesterday"));
    const gap = await reader.next();
    const event = await reader.next();
    expect([gap?.event, event?.event]).toEqual(["gap", undefined]);
    expect(gap?.data).toContain('"reason":"epoch"');
    await reader.close();
  });
});
