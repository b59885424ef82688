/** An export that is published again. */
import { describe, expect, it } from "vitest";
import { call, TopicHttp } from "../support/topic-http.ts";

interface Page {
  readonly events: readonly {
    readonly position: string;
    readonly event: string;
    readonly data: unknown;
    readonly id?: string;
  }[];
}

const NDJSON = { "content-type": "application/x-ndjson" };

async function exportOf(topic: TopicHttp, query = ""): Promise<string> {
  const response = await call(`${topic.path}?format=ndjson${query}`);
  return await response.text();
}

describe("[B4] an exported topic", () => {
  it("[B4][S3] can be published again, with new positions, and again under the same key", async () => {
    const from = new TopicHttp("b4-export");
    await from.publish([{ data: { n: 1 }, event: "first", id: "own" }, { data: "two" }]);
    await from.publish({ data: null }, { "idempotency-key": "k" });
    const to = new TopicHttp("b4-import");
    await to.publish({ data: 0 });
    const lines = await exportOf(from);
    const headers = { ...NDJSON, "idempotency-key": "import" };
    for (let times = 0; times < 2; times += 1) {
      const response = await to.post(lines, headers);
      expect([response.status, await response.json()]).toMatchObject([201, { count: 3 }]);
    }
    const { events } = (await to.page()) as Page;
    const told = events.map(({ event, data, id }) => ({
      event,
      data,
      ...(id === "own" && { id }),
    }));
    expect(told).toEqual([
      { event: "message", data: 0 },
      { event: "first", data: { n: 1 }, id: "own" },
      { event: "message", data: "two" },
      { event: "message", data: null },
    ]);
    const old = ((await from.page()) as Page).events.map(({ position }) => position);
    expect(events.filter(({ position }) => old.includes(position))).toEqual([]);
  });

  it("[B4][I4] is published without what was lost before, and never as if a broken one were whole", async () => {
    const from = new TopicHttp("b4-gap");
    await from.publish({ data: 1 });
    const lines = await exportOf(from, "&after=elsewhere_0000000000000000");
    expect(lines).toMatch(/^\{"gap":/);
    const to = new TopicHttp("b4-gap-to");
    const whole = await to.post(lines, NDJSON);
    expect(await whole.json()).toMatchObject({ count: 1 });
    const broken = await to.post(
      `${lines}{"error":{"code":"stream_interrupted","message":""}}\n`,
      NDJSON,
    );
    expect([broken.status, await broken.json()]).toMatchObject([
      400,
      {
        code: "invalid_request",
        line: 3,
        published: 1,
        detail: "Line 3: here the export broke off. So far 1 event was published.",
      },
    ]);
  });

  it.each([
    { data: 1, position: "nonsense", at: 1 },
    { data: 1, position: "0mwsnrbj62d_0000000000000035", at: "now" },
    { data: 1, position: "0mwsnrbj62d_0000000000000035", at: 1, sender: "eve" },
    { data: 1, at: 1 },
    { data: 1, id: "sluice.key.AAAAAAAAAAAAAAAA.1" },
    { gap: "all" },
    { gap: { reason: "trimmed", from: "a", to: "b" }, data: 1 },
    [{ data: 1 }],
    null,
  ])("[W4] a line like %j is none of an export", async (line) => {
    const response = await new TopicHttp("b4-none").post(JSON.stringify(line), NDJSON);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { line: 1, published: 0 },
    ]);
  });

  it("[W4][E1] says of a gap what a gap is, not what an event is", async () => {
    const line = { gap: { reason: "trimmed", from: "a", to: "b" }, data: 1 };
    const response = await new TopicHttp("b4-gap-data").post(JSON.stringify(line), NDJSON);
    const detail =
      "Line 1: `data` is unknown. Expected {gap: {reason, from, to}}, a line of an export.";
    expect(await response.json()).toMatchObject({
      param: "data",
      detail: `${detail} So far 0 events were published.`,
    });
  });
});
