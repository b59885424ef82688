/** What the protocol's suite does not ask of its door. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { MAX_STREAM_MESSAGES } from "../../src/protocol/limits.ts";
import { call, TopicHttp } from "../support/topic-http.ts";
import { until } from "../support/until.ts";

type Headers = Readonly<Record<string, string>>;

async function stream(
  method: string,
  name: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Headers = {},
): Promise<Response> {
  const type = method === "PUT" || method === "POST" ? { "content-type": "text/plain" } : {};
  return await call(`/v1/stream/${name}`, {
    method,
    headers: { ...type, ...headers },
    body: body ?? null,
  });
}

const JSON_TYPE = { "content-type": "application/json" };

describe("[S4] one topic, two doors", () => {
  it("what is published at one is read at the other, and an end is an end at both", async () => {
    const topic = new TopicHttp("doors");
    await topic.publish([{ data: { n: 1 } }, { event: "named", data: [2] }]);
    expect((await stream("POST", "doors", "[[3],4]", JSON_TYPE)).status).toBe(204);
    const read = await stream("GET", "doors");
    expect(await read.json()).toEqual([{ n: 1 }, [2], [3], 4]);
    const closed = await stream("POST", "doors", undefined, { "stream-closed": "true" });
    expect(closed.status).toBe(204);
    const reader = await topic.events();
    const events = await reader.rest();
    expect(events.map(({ event, data }) => [event, data])).toEqual([
      [undefined, '{"n":1}'],
      ["named", "[2]"],
      [undefined, "[3]"],
      [undefined, "4"],
      ["end", '{"outcome":"completed"}'],
    ]);
  });

  it.each(["PUT", "POST"])(
    "[I5] a body of %s holds so many messages and no more",
    async (method) => {
      const name = `many-${method}`;
      if (method === "POST") await stream("PUT", name, undefined, JSON_TYPE);
      const most = Array.from({ length: MAX_STREAM_MESSAGES }, () => 0);
      const refused = await stream(method, name, JSON.stringify([...most, 0]), JSON_TYPE);
      expect([refused.status, await refused.json()]).toMatchObject([
        413,
        { code: "body_too_large" },
      ]);
      expect((await stream(method, name, JSON.stringify(most), JSON_TYPE)).ok).toBe(true);
      expect(await (await stream("GET", name)).json()).toHaveLength(MAX_STREAM_MESSAGES);
    },
  );

  it("[I4] says that a position is gone when the topic began again or no longer keeps it", async () => {
    await stream("PUT", "again", "one");
    const offset = (await stream("HEAD", "again")).headers.get("stream-next-offset") ?? "";
    await stream("DELETE", "again");
    expect((await stream("PUT", "again", "two")).status).toBe(201);
    const gone = await stream("GET", `again?offset=${offset}`);
    expect(gone.status).toBe(410);
    expect(await gone.json()).toMatchObject({ code: "topic_gone" });

    const topic = new TopicHttp("trimmed");
    await topic.create({ retention: { messages: 2 } });
    const { positions } = await topic.publish([{ data: 1 }]);
    // Trimming is done in portions.
    for (let n = 0; n < 10; n += 1)
      await topic.publish(Array.from({ length: 200 }, () => ({ data: n })));
    const trimmed = await stream("GET", `trimmed?offset=${positions[0] ?? ""}`);
    expect(trimmed.status).toBe(410);
    const now = await stream("GET", "trimmed?offset=-1");
    expect((await now.json<number[]>()).at(-1)).toBe(9);
  });
});

describe("[S4] a stream's data", () => {
  it("is given back byte for byte, whatever it holds and however it is cut", async () => {
    const bytes = new TextEncoder().encode("\ufeffgr\u00fc\u00dfe \ud83d\ude00\r\n\0");
    await stream("PUT", "cut");
    for (const byte of bytes) await stream("POST", "cut", Uint8Array.of(byte));
    await stream("POST", "cut", Uint8Array.of(0xff, 0xfe));
    const read = await stream("GET", "cut");
    expect([...new Uint8Array(await read.arrayBuffer())]).toEqual([...bytes, 0xff, 0xfe]);
  });

  it("may be longer than an event", async () => {
    const bytes = Uint8Array.from({ length: 1_000_003 }, (_, index) => (index * 31) % 251);
    const headers = { "content-type": "application/octet-stream" };
    expect((await stream("PUT", "long", bytes, headers)).status).toBe(201);
    let at = "-1";
    const parts: number[] = [];
    for (let done = false; !done;) {
      const read = await stream("GET", `long?offset=${at}`);
      for (const byte of new Uint8Array(await read.arrayBuffer())) parts.push(byte);
      at = read.headers.get("stream-next-offset") ?? "";
      done = read.headers.get("stream-up-to-date") === "true";
    }
    expect(parts).toHaveLength(bytes.byteLength);
    expect(parts.every((byte, index) => byte === bytes[index])).toBe(true);
  });

  it("holds lines that begin with spaces and look like fields", async () => {
    const text = " two  spaces\n:comment\nevent: control\n\ndata: {}";
    await stream("PUT", "lines", text, { "stream-closed": "true" });
    const live = await stream("GET", "lines?offset=-1&live=sse");
    const blocks = (await live.text()).split("\n\n").filter((block) => !block.startsWith(":"));
    const data = blocks[0]?.split("\n").slice(1) ?? [];
    expect(data.map((line) => line.replace(/^data: ?/, "")).join("\n")).toBe(text);
    expect(blocks.at(-2)).toContain('"streamClosed":true');
  });
});

describe("[S4] forks", () => {
  const fork = (of: string): Headers => ({ "stream-forked-from": `/v1/stream/${of}` });

  it("[I5] a copy holds so many events and no more", async () => {
    const most = Array.from({ length: MAX_STREAM_MESSAGES }, () => 0);
    await stream("PUT", "many-source", JSON.stringify(most), JSON_TYPE);
    expect(
      (await stream("PUT", "many-fork", undefined, { ...JSON_TYPE, ...fork("many-source") }))
        .status,
    ).toBe(201);
    expect(await (await stream("GET", "many-fork")).json()).toHaveLength(MAX_STREAM_MESSAGES);
    await stream("POST", "many-source", "1", JSON_TYPE);
    const refused = await stream("PUT", "more-fork", undefined, {
      ...JSON_TYPE,
      ...fork("many-source"),
    });
    expect([refused.status, await refused.json()]).toMatchObject([413, { code: "body_too_large" }]);
    expect((await stream("GET", "more-fork")).status).toBe(404);
  });

  it("[I5] a copy and what is sent with it are together no more", async () => {
    const most = Array.from({ length: MAX_STREAM_MESSAGES }, () => 0);
    await stream("PUT", "full-source", JSON.stringify(most), JSON_TYPE);
    const headers = { ...JSON_TYPE, ...fork("full-source") };
    const refused = await stream("PUT", "full-fork", "[1]", headers);
    expect([refused.status, await refused.json()]).toMatchObject([413, { code: "body_too_large" }]);
    expect((await stream("GET", "full-fork")).status).toBe(404);
    expect((await stream("PUT", "full-fork", "[]", headers)).status).toBe(201);
  });

  it("that are made again are found, though the source has grown", async () => {
    await stream("PUT", "grown", "a");
    expect((await stream("PUT", "grown-fork", undefined, fork("grown"))).status).toBe(201);
    await stream("POST", "grown", "b");
    expect((await stream("PUT", "grown-fork", undefined, fork("grown"))).status).toBe(200);
    expect(await (await stream("GET", "grown-fork")).text()).toBe("a");
  });

  it("are told to their source by the request's repetition, when the first died before it did", async () => {
    await stream("PUT", "untold", "a");
    await stream("PUT", "untold-fork", undefined, fork("untold"));
    await env.TOPICS.getByName("untold").removeFork("untold-fork");
    expect((await stream("PUT", "untold-fork", undefined, fork("untold"))).status).toBe(200);
    await stream("DELETE", "untold");
    expect((await stream("HEAD", "untold")).status).toBe(410);
  });

  it("let go of their source when they expire, too", async () => {
    await stream("PUT", "left", "a");
    const expiry = { "stream-expires-at": new Date(Date.now() + 1_000).toISOString() };
    await stream("PUT", "left-fork", undefined, { ...fork("left"), ...expiry });
    expect((await stream("DELETE", "left")).status).toBe(204);
    expect((await stream("HEAD", "left")).status).toBe(410);
    await until("the source's name is free", async () => {
      return (await stream("HEAD", "left")).status === 404;
    });
    expect((await stream("PUT", "left", "new")).status).toBe(201);
  });
});

describe("[S4] a stream refuses", () => {
  it.each([
    ["a name that is none", "PUT", "__ds", {}, 400, "bad_name"],
    ["a way to read that is none", "GET", "refusing?live=magic", {}, 400, "invalid_request"],
    ["an offset of nobody", "GET", "refusing?offset=abc", {}, 400, "bad_position"],
    ["half a producer", "POST", "refusing", { "producer-id": "p" }, 400, "invalid_request"],
    ["a source elsewhere", "PUT", "other", { "stream-forked-from": "//x" }, 400, "bad_name"],
    [
      "an end that has passed",
      "PUT",
      "past",
      { "stream-expires-at": "2020-01-01T00:00:00Z" },
      400,
      "invalid_request",
    ],
    ["other settings", "PUT", "refusing", JSON_TYPE, 409, "topic_exists"],
  ] as const)("%s", async (_what, method, name, headers, status, code) => {
    await stream("PUT", "refusing");
    const body = method === "POST" ? "x" : undefined;
    const response = await stream(method, name, body, headers);
    expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([
      status,
      code,
    ]);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("[I9] nothing to pages but what they may read, and says which headers", async () => {
    await stream("PUT", "page");
    const response = await stream("HEAD", "page", undefined, { origin: "http://localhost" });
    expect(response.headers.get("access-control-expose-headers")).toContain("Stream-Next-Offset");
  });
});
