/** Requests that are repeated under their Idempotency-Key. */
import { describe, expect, it } from "vitest";
import { call, TopicHttp } from "../support/topic-http.ts";

interface Page {
  readonly events: readonly { readonly data: unknown; readonly id?: string }[];
}

const NDJSON = { "content-type": "application/x-ndjson" };

async function dataOf(topic: TopicHttp): Promise<readonly unknown[]> {
  const { events } = (await topic.page("?limit=1000")) as Page;
  return events.map(({ data }) => data);
}

const under = (key: string): Readonly<Record<string, string>> => ({ "idempotency-key": key });

describe("[S3] a request under an Idempotency-Key", () => {
  it("[S3] is kept apart from other keys and from ids of publishers", async () => {
    const topic = new TopicHttp("s3-apart");
    await topic.publish([{ data: 1 }, { data: 2 }], under("a"));
    await topic.publish({ data: 3 }, under("a.0"));
    await topic.publish({ data: 4, id: "a" });
    await topic.publish({ data: 5, id: "a.1" });
    await topic.post('{"data":6}\n{"data":7}', { ...NDJSON, ...under("b") });
    await topic.publish({ data: 8, id: "b.1" });
    await topic.publish({ data: 9 }, under("b.2"));
    expect(await dataOf(topic)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const { events } = (await topic.page()) as Page;
    // Ids that come of keys are the server's.
    const taken = await topic.post(JSON.stringify({ data: 10, id: events[0]?.id }));
    expect(taken.status).toBe(400);
    const raw = await topic.post("x", { "content-type": "text/csv" }, `?id=${events[0]?.id}`);
    expect(raw.status).toBe(400);
  });

  it("[S3] with other events is refused, and stores nothing", async () => {
    const topic = new TopicHttp("s3-conflict");
    const first = await topic.publish([{ data: 1 }, { data: 2 }], under("k"));
    for (const body of [
      { data: 1 },
      [{ data: 1 }],
      [{ data: 1 }, { data: 2 }, { data: 3 }],
      [{ data: 1 }, { data: "two" }],
      [{ data: 1 }, { data: 2, event: "other" }],
    ]) {
      const response = await topic.post(JSON.stringify(body), under("k"));
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({ code: "idempotency_conflict" });
    }
    expect(await topic.publish([{ data: 1 }, { data: 2 }], under("k"))).toEqual(first);
    // An id of an event's own is no part of the key.
    await topic.publish({ data: 3, id: "own" });
    const mixed = [{ data: 3, id: "own" }, { data: 4 }];
    const second = await topic.publish(mixed, under("mixed"));
    expect(await topic.publish(mixed, under("mixed"))).toEqual(second);
    expect(await dataOf(topic)).toEqual([1, 2, 3, 4]);
  });

  it("[S3] is answered after the topic's end as before, and with other events refused", async () => {
    const topic = new TopicHttp("s3-ended");
    const first = await topic.publish([{ data: 1 }, { data: 2 }], under("k"));
    await topic.close();
    expect(await topic.publish([{ data: 1 }, { data: 2 }], under("k"))).toEqual(first);
    const other = await topic.post('[{"data":1},{"data":3}]', under("k"));
    expect(await other.json()).toMatchObject({ code: "idempotency_conflict" });
    const late = await topic.post('{"data":4}', under("l"));
    expect(await late.json()).toMatchObject({ code: "topic_closed" });
  });

  it("[S3] that is a text or bytes is stored once", async () => {
    const topic = new TopicHttp("s3-text");
    const send = async (text: string): Promise<Response> =>
      await topic.post(text, { "content-type": "text/csv", ...under("k") });
    const first = await (await send("a,b")).json();
    expect(await (await send("a,b")).json()).toEqual(first);
    expect((await send("a,c")).status).toBe(409);
    expect(await dataOf(topic)).toEqual(["a,b"]);
  });

  it("[S3] [B1] of NDJSON goes on where it broke off, and says where it is another", async () => {
    const topic = new TopicHttp("s3-lines");
    const lines = (count: number): string =>
      Array.from({ length: count }, (_, n) => `{"data":${n}}\n`).join("");
    const headers = { ...NDJSON, ...under("import") };
    const broken = await topic.post(`${lines(600)}{"dat`, headers);
    expect(await broken.json()).toMatchObject({ published: 600 });
    const whole = await topic.post(lines(1_000), headers);
    expect(await whole.json()).toMatchObject({ count: 1_000 });
    expect(await dataOf(topic)).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    const other = await topic.post(`${lines(700)}\n{"data":"other"}\n${lines(99)}`, headers);
    expect(await other.json()).toMatchObject({
      code: "idempotency_conflict",
      line: 702,
      published: 700,
      detail: expect.stringContaining("Line 702:") as unknown,
    });
    expect((await topic.stats())["events"]).toBe(1_000);
  });

  it("[S3] [S7] to several topics counts for each of them", async () => {
    const [a, b, c] = ["s3-many-a", "s3-many-b", "s3-many-c"].map((name) => new TopicHttp(name));
    if (a === undefined || b === undefined || c === undefined) throw new Error("no topics");
    const send = async (events: readonly (readonly [TopicHttp, unknown])[]): Promise<unknown> => {
      const body = JSON.stringify(events.map(([{ name: topic }, data]) => ({ topic, data })));
      const response = await call("/v1/topics", { method: "POST", body, headers: under("k") });
      const { results } = await response.json<{ readonly results: unknown }>();
      return results;
    };
    const first = await send([
      [a, 1],
      [b, 2],
      [a, 3],
    ]);
    // The order between topics says nothing.
    const again = await send([
      [b, 2],
      [a, 1],
      [a, 3],
    ]);
    expect(again).toEqual([1, 0, 2].map((nth) => (first as readonly unknown[])[nth]));
    const other = await send([
      [a, 1],
      [b, "two"],
      [a, 3],
      [c, 4],
    ]);
    expect(other).toMatchObject([
      { topic: a.name },
      { error: { code: "idempotency_conflict" } },
      { topic: a.name },
      { topic: c.name },
    ]);
    expect([await dataOf(a), await dataOf(b), await dataOf(c)]).toEqual([[1, 3], [2], [4]]);
  });

  it("[S3] gives concurrent repetitions the same position", async () => {
    const topic = new TopicHttp("s3-race");
    const all = await Promise.all(
      Array.from({ length: 10 }, async () => await topic.publish({ data: 1 }, under("k"))),
    );
    expect(new Set(all.map(({ position }) => position)).size).toBe(1);
    expect((await topic.stats())["events"]).toBe(1);
  });

  it.each(["with space", "x".repeat(65)])("[S3] refuses the key %s", async (key) => {
    const topic = new TopicHttp("s3-keys");
    const response = await topic.post('{"data":1}', under(key));
    expect(await response.json()).toMatchObject({ param: "Idempotency-Key" });
    expect((await topic.stats())["events"]).toBe(0);
  });
});
