import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { RoomObject } from "../../durable-objects/room.ts";
import type { TopicObject } from "../../durable-objects/topic.ts";
import { defaultSettings } from "../../durable-objects/topic/settings.ts";
import { post, stat } from "../support/room-http.ts";
import { TopicHttp } from "../support/topic-http.ts";

async function head(path: string, accept = "*/*"): Promise<readonly [number, string | null]> {
  const url = `http://localhost${path}`;
  const response = await exports.default.fetch(url, { method: "HEAD", headers: { accept } });
  expect(response.body).toBe(null);
  return [response.status, response.headers.get("content-type")];
}

const EVENTS = "text/event-stream; charset=utf-8";

describe("[I7] HEAD of a stream opens nothing", () => {
  it("[I7] of a room", async () => {
    await post("head", { event: "tick", payload: 1 });
    expect(await head("/v1/rooms/head/events")).toEqual([200, EVENTS]);
    expect(await head("/v1/rooms/head/messages", "application/x-ndjson")).toEqual([
      200,
      "application/x-ndjson",
    ]);
    expect(await stat("head", "connections")).toBe(0);
  });

  it("[I7] of what does not exist makes nothing", async () => {
    expect(await head("/v1/rooms/nowhere/events")).toEqual([200, EVENTS]);
    expect(await head("/v1/topics/nowhere?format=sse")).toEqual([200, EVENTS]);
    for (const stub of [env.ROOMS.getByName("nowhere"), env.TOPICS.getByName("nowhere")]) {
      const tables = await runInDurableObject<RoomObject | TopicObject, unknown[]>(
        stub,
        (_object, { storage }) =>
          storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'log%'").toArray(),
      );
      expect(tables).toEqual([]);
    }
  });

  it("[I7] of a topic, and of several", async () => {
    const topic = new TopicHttp("head");
    await topic.post(JSON.stringify({ data: 1 }));
    expect(await head("/v1/topics/head", "text/event-stream")).toEqual([200, EVENTS]);
    expect(await head("/v1/topics/head?format=sse")).toEqual([200, EVENTS]);
    expect(await head("/v1/topics?topic=head")).toEqual([200, EVENTS]);
    expect(await head("/v1/topics/head", "application/x-ndjson")).toEqual([
      200,
      "application/x-ndjson",
    ]);
    expect((await topic.stats())["connections"]).toBe(0);
  });

  it("[I7] of a topic that lives while it is read does not keep it alive", async () => {
    const stub = env.TOPICS.getByName("brief");
    const ttlMs = 60_000;
    await stub.create({ ...defaultSettings("application/json"), ttlMs });
    const endsAt = async (): Promise<number> => (await stub.describe())?.expiresAt ?? 0;
    const first = await endsAt();
    await vi.waitUntil(() => Date.now() > first - ttlMs);
    expect(await head("/v1/topics/brief?format=sse")).toEqual([200, EVENTS]);
    expect(await endsAt()).toBe(first);
    const read = await exports.default.fetch("http://localhost/v1/topics/brief?format=sse");
    expect(await endsAt()).toBeGreaterThan(first);
    await read.body?.cancel();
  });

  it("[I7] of a stored answer", async () => {
    const response = await exports.default.fetch("http://localhost/v1/chat/completions", {
      method: "POST",
      body: JSON.stringify({
        model: "demo",
        messages: [{ role: "user", content: "Hi" }],
        stream: true,
        store: true,
      }),
    });
    await response.text();
    const id = response.headers.get("sluice-generation") ?? "";
    expect(await head(`/v1/chat/completions/${id}/events`)).toEqual([200, EVENTS]);
    expect(await head(`/api/chat/${id}/events`)).toEqual([200, EVENTS]);
  });
});
