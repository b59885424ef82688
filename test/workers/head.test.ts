import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { Admission } from "../../durable-objects/delivery/admission.ts";
import type { RoomObject } from "../../durable-objects/room.ts";
import type { TopicObject } from "../../durable-objects/topic.ts";
import { defaultSettings } from "../../durable-objects/topic/settings.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import { post, stat } from "../support/room-http.ts";
import { TopicHttp } from "../support/topic-http.ts";

async function head(path: string, accept = "*/*"): Promise<readonly [number, string | null]> {
  const url = `http://localhost${path}`;
  const response = await exports.default.fetch(url, { method: "HEAD", headers: { accept } });
  expect(response.body).toBe(null);
  return [response.status, response.headers.get("content-type")];
}

const PART = { type: "text", text: "Hi" };

async function ask(path: string, body: unknown, key = crypto.randomUUID()): Promise<Response> {
  return await exports.default.fetch(`http://localhost${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "idempotency-key": key },
  });
}

/** The id of a stored answer that has ended. */
async function answer(asked: Readonly<Record<string, unknown>>): Promise<string> {
  const messages = [{ role: "user", content: "Hi" }];
  const body = { messages, stream: true, store: true, ...asked };
  const response = await ask("/v1/chat/completions", body);
  await response.text();
  return response.headers.get("sluice-generation") ?? "";
}

/** A failure does not tell what the answer is called; who has named the request has named it. */
async function nameFor(key: string): Promise<string> {
  const name = new TextEncoder().encode(JSON.stringify(["local", key]));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", name));
  const hex = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `gen_${hex.slice(0, 32)}`;
}

/** As when too many have come at once. */
function letNobodyIn(): { readonly mockRestore: () => void } {
  return vi.spyOn(Admission.prototype, "admit").mockImplementation(() => {
    throw new SluiceError("room_overloaded", { retryAfter: 7 });
  });
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
    const id = await answer({ model: "demo" });
    expect(await head(`/v1/chat/completions/${id}/events`)).toEqual([200, EVENTS]);
    expect(await head(`/api/chat/${id}/events`)).toEqual([200, EVENTS]);
  });

  it("[I7] of an answer that is being written for a chat", async () => {
    const path = "/api/chat/head/stream";
    expect(await head(path)).toEqual([204, null]);
    const body = { id: "head", messages: [{ id: "m", role: "user", parts: [PART] }] };
    const response = await ask("/api/chat", { ...body, model: "demo-endless" });
    expect(await head(path)).toEqual([200, EVENTS]);
    const id = response.headers.get("sluice-generation") ?? "";
    const full = letNobodyIn();
    expect(await head(path)).toEqual([503, "application/problem+json"]);
    full.mockRestore();
    await env.GENERATIONS.getByName(id).cancel(null);
    await response.body?.cancel();
  });
});

describe("[S1] HEAD of a stored answer's events says what GET would", () => {
  it("[S1] [E2] when nobody is let in now", async () => {
    const id = await answer({ model: "demo" });
    const full = letNobodyIn();
    for (const path of [`/v1/chat/completions/${id}/events`, `/api/chat/${id}/events`]) {
      for (const method of ["HEAD", "GET"]) {
        const response = await exports.default.fetch(`http://localhost${path}`, { method });
        expect([method, response.status]).toEqual([method, 503]);
        expect(response.headers.get("retry-after")).toBe("7");
        await response.body?.cancel();
      }
    }
    full.mockRestore();
  });

  it("[S1] [L5] when there is no answer but a failure", async () => {
    const key = crypto.randomUUID();
    const asked = { model: "demo-fail-before", store: true, stream: true };
    const messages = [{ role: "user", content: "Hi" }];
    const { status, body } = await ask("/v1/chat/completions", { ...asked, messages }, key);
    await body?.cancel();
    const url = `http://localhost/v1/chat/completions/${await nameFor(key)}/events`;
    for (const method of ["GET", "HEAD"]) {
      const response = await exports.default.fetch(url, { method });
      expect([method, response.status]).toEqual([method, 502]);
      await response.body?.cancel();
    }
    expect(status).toBe(502);
  });
});
