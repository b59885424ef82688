/** What can be read without a token: what the operator names, and one answer by its link. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { mint, SECRET } from "../support/tokens.ts";
import { TokenSocket } from "../support/token-socket.ts";
import { until } from "../support/until.ts";

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({
    AUTH_SECRET: SECRET,
    ANONYMOUS_READ: "topics/news:*, rooms/lobby",
    ALLOWED_ORIGINS: "https://app.example.com",
  });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

async function ask(path: string, init: RequestInit = {}, token?: string) {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  const url = path.startsWith("http") ? path : worker.origin + path;
  return await fetch(url, { ...init, headers });
}

async function statusOf(path: string, init: RequestInit = {}, token?: string): Promise<number> {
  const response = await ask(path, init, token);
  await response.body?.cancel();
  return response.status;
}

const post = (body: unknown): RequestInit => ({ method: "POST", body: JSON.stringify(body) });

test("[E2][I8] anybody may read what the operator names, and nothing more", async () => {
  const admin = await mint({ "topics/**": ["admin"], "rooms/**": ["admin"] }, { sub: "boss" });
  expect(await statusOf("/v1/topics/news:a", post({ data: "hello" }), admin)).toBe(201);
  expect(
    await statusOf("/v1/rooms/lobby/messages", post({ event: "chat", payload: 1 }), admin),
  ).toBe(201);
  for (const path of [
    "/v1/topics/news:a",
    "/v1/topics/news:a?format=sse",
    "/v1/topics?topic=news:a&topic=news:b",
    "/v1/stream/news:a?offset=-1",
    "/v1/rooms/lobby/events",
    "/v1/rooms/lobby/messages",
    "/v1/rooms/lobby/presence",
  ]) {
    expect([path, await statusOf(path)]).toEqual([path, 200]);
  }
  for (const [method, path] of [
    ["GET", "/v1/topics/other"],
    ["GET", "/v1/topics/news"],
    ["GET", "/v1/topics?topic=news:a&topic=other"],
    ["GET", "/v1/topics/news:a/stats"],
    ["POST", "/v1/topics/news:a"],
    ["PUT", "/v1/topics/news:a"],
    ["DELETE", "/v1/topics/news:a"],
    ["POST", "/v1/stream/news:a"],
    ["GET", "/v1/rooms/lobby/stats"],
    ["GET", "/v1/rooms/other/events"],
    ["POST", "/v1/rooms/lobby/messages"],
    ["POST", "/v1/rooms/lobby/revocations"],
    ["POST", "/v1/tickets"],
    ["POST", "/api/chat"],
    ["GET", `/v1/chat/completions/gen_${"0".repeat(32)}`],
  ] as const) {
    const init = method === "GET" ? { method } : { ...post({ data: 1 }), method };
    expect([method, path, await statusOf(path, init)]).toEqual([method, path, 401]);
  }
  // A token that does not count is no way to come without one; one that counts takes nothing away.
  expect(await statusOf("/v1/topics/news:a", {}, "a.b.c")).toBe(401);
  expect(await statusOf("/v1/topics/news:a", {}, await mint({}, { sub: "ann" }))).toBe(200);
  using guest = await TokenSocket.join(`${worker.origin}/v1/rooms/lobby`);
  expect(guest.frames).toEqual([]);
});

interface Link {
  readonly url: string;
  readonly expiresAt: string;
}

/** A stored answer of Ann's, written to its end, and a link to it. */
async function shareAnswer(key: string) {
  const token = await mint({ "generations/*": ["run", "read", "cancel"] }, { sub: "ann" });
  const body = { messages: [{ role: "user", content: "Hello?" }], store: true };
  const asked = { ...post(body), headers: { "idempotency-key": key } };
  const response = await ask("/v1/chat/completions", asked, token);
  const { id } = (await response.json()) as { id: string };
  const made = await ask(`/v1/chat/completions/${id}/links`, post({ expiresIn: 600 }), token);
  expect(made.status).toBe(201);
  const { url, expiresAt } = (await made.json()) as Link;
  expect(Math.abs(Date.parse(expiresAt) - Date.now() - 600_000)).toBeLessThan(30_000);
  return { token, id, url, asked };
}

test("[E2][I8] a link opens one answer to whoever has it, and nothing else", async () => {
  const { token, id, url } = await shareAnswer("one");
  const { token: _, id: other } = await shareAnswer("two");
  const text = await (await ask(url)).text();
  expect(text).toContain("data: [DONE]");
  const link = new URL(url).search;
  expect(await statusOf(`/v1/chat/completions/${id}${link}`)).toBe(200);
  for (const path of [url, `/v1/chat/completions/${id}${link}`]) {
    expect(await statusOf(path, { method: "HEAD" })).toBe(200);
  }
  expect(await statusOf(`/v1/topics/news${link}`, { method: "HEAD" })).toBe(403);
  expect(await statusOf(`${url}0`, { method: "HEAD" })).toBe(401);
  for (const path of [
    `/v1/chat/completions/${id}/stats${link}`,
    `/v1/chat/completions/${other}/events${link}`,
    `/v1/chat/completions/${other}${link}`,
    `/v1/chat/completions/${id}/stats${link}`,
    `/v1/topics/news${link}`,
    `/v1/rooms/other/events${link}`,
  ]) {
    expect([path, await statusOf(path)]).toEqual([path, 403]);
  }
  for (const [method, action] of [
    ["POST", "/cancel"],
    ["POST", "/restart"],
    ["POST", "/links"],
    ["DELETE", ""],
  ]) {
    const path = `/v1/chat/completions/${id}${action}${link}`;
    expect(await statusOf(path, { method: method ?? "" })).toBe(401);
  }
  // Only its owner makes links, or somebody who may see everybody's.
  const bob = await mint({ "generations/*": ["read"] }, { sub: "bob" });
  expect(await statusOf(`/v1/chat/completions/${id}/links`, post({}), bob)).toBe(404);
  for (const body of [{ expiresIn: 0 }, { expiresIn: 1e9 }, { expiresIn: "1h" }, { until: 1 }]) {
    expect(await statusOf(`/v1/chat/completions/${id}/links`, post(body), token)).toBe(400);
  }
});

test("[E2][I8] a link that was changed opens nothing", async () => {
  const { url } = await shareAnswer("three");
  const parsed = new URL(url);
  const [id = "", epoch = "", expires = "", signature = ""] =
    parsed.searchParams.get("link")?.split(".") ?? [];
  for (const parts of [
    [id, epoch, String(Number(expires) + 1), signature],
    [id, "other", expires, signature],
    [`gen_${"0".repeat(32)}`, epoch, expires, signature],
    [id, epoch, expires, signature.replace(/^./, (first) => (first === "A" ? "B" : "A"))],
    [id, epoch, expires, ""],
    [id, epoch, expires],
    [id, epoch, expires, signature, ""],
  ]) {
    parsed.searchParams.set("link", parts.join("."));
    expect([parts.length, await statusOf(parsed.href)]).toEqual([parts.length, 401]);
  }
});

test("[E2][I8] a link ends with its time, also while it is read, and with its answer", async () => {
  const { token, id, url, asked } = await shareAnswer("four");
  const short = await ask(`/v1/chat/completions/${id}/links`, post({ expiresIn: 1 }), token);
  const { url: ending } = (await short.json()) as Link;
  await until("the end of the link", async () => (await statusOf(ending)) === 401);
  const late = (await (await ask(ending)).json()) as { code: string };
  expect(late.code).toBe("token_expired");
  expect(await statusOf(`/v1/chat/completions/${id}`, { method: "DELETE" }, token)).toBe(200);
  expect(await statusOf(url)).toBe(404);
  // The same request makes an answer of the same name; the old link is not for that one.
  const again = (await (await ask("/v1/chat/completions", asked, token)).json()) as { id: string };
  expect(again.id).toBe(id);
  expect(await statusOf(url)).toBe(404);
});

test("[E2] pages of other origins open no WebSocket and read nothing, whatever they have", async () => {
  const token = await mint({ "rooms/lobby": ["read"] }, { sub: "ann" });
  const upgrade = (origin: string) => ({
    origin,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-protocol": `sluice.v1, sluice.bearer.${token}`,
  });
  const { request } = await import("node:http");
  const handshake = async (origin: string): Promise<number> =>
    await new Promise((resolve, reject) => {
      const asked = request(`${worker.origin}/v1/rooms/lobby`, { headers: upgrade(origin) });
      asked.on("response", (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.on("upgrade", (response, socket) => {
        socket.destroy();
        resolve(response.statusCode ?? 0);
      });
      asked.on("error", reject);
      asked.end();
    });
  expect(await handshake("https://evil.example")).toBe(403);
  expect(await handshake("null")).toBe(403);
  expect(await handshake("https://app.example.com.evil.example")).toBe(403);
  expect(await handshake("https://app.example.com")).toBe(101);
  for (const path of ["/v1/topics/news:a", "/v1/rooms/lobby/events", "/v1/tickets"]) {
    const init = { headers: { origin: "https://evil.example" } };
    expect(await statusOf(path, init, token)).toBe(403);
  }
});
