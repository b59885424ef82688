/** Tickets: what browsers put into an address, where they can send nothing else. */
import { EventSource } from "eventsource";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { mint, now, SECRET } from "../support/tokens.ts";
import { TokenSocket } from "../support/token-socket.ts";
import { until } from "../support/until.ts";

const CAN = { "rooms/lobby": ["read", "publish"], "topics/news": ["read"] };
let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ AUTH_SECRET: SECRET });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

async function exchange(token: string, body?: unknown): Promise<Response> {
  return await fetch(`${worker.origin}/v1/tickets`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function ticketFor(token: string, body?: unknown): Promise<string> {
  const response = await exchange(token, body);
  expect(response.status).toBe(201);
  expect(response.headers.get("cache-control")).toBe("no-store");
  const { ticket, expiresIn } = (await response.json()) as { ticket: string; expiresIn: number };
  expect(expiresIn).toBeLessThanOrEqual(30);
  return ticket;
}

const news = (ticket: string): string =>
  `${worker.origin}/v1/topics/news?format=sse&ticket=${ticket}`;

async function statusOf(url: string, init: RequestInit = {}): Promise<number> {
  const response = await fetch(url, init);
  await response.body?.cancel();
  return response.status;
}

test("[E2][I8] a browser's EventSource and WebSocket come in with a ticket, once", async () => {
  const token = await mint(CAN, { sub: "ann" });
  const source = new EventSource(news(await ticketFor(token)));
  let isOpen = false;
  source.addEventListener("open", () => {
    isOpen = true;
  });
  await until("the stream to open", () => isOpen);
  source.close();
  const ticket = await ticketFor(token);
  const url = `${worker.origin}/v1/rooms/lobby?ticket=${ticket}`;
  using ann = await TokenSocket.join(url);
  expect(ann.of("welcome")[0]?.member).toBe("ann");
  ann.publish("m1", "by ticket");
  await until("the message", () => ann.payloads.includes("by ticket"));
  using again = await TokenSocket.join(url);
  expect(again.frames).toEqual([]);
});

test("[E2][I8] of many who use a ticket at once, one comes in", async () => {
  const ticket = await ticketFor(await mint(CAN, { sub: "race" }));
  const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(news(ticket))));
  expect(statuses.toSorted((a, b) => a - b)).toEqual([
    200,
    ...Array.from({ length: 19 }, () => 401),
  ]);
  const late = await fetch(news(ticket));
  expect(await late.text()).toContain("A ticket counts once");
});

test("[E2][I8] a ticket opens what its token does, or less, and never more", async () => {
  const token = await mint(CAN, { sub: "less" });
  const less = await ticketFor(token, { can: { "rooms/lobby": ["read"], "topics/**": ["admin"] } });
  using member = await TokenSocket.join(`${worker.origin}/v1/rooms/lobby?ticket=${less}`);
  member.publish("m1");
  await until("a refusal", () => member.errors.length > 0);
  expect(member.errors).toEqual(["forbidden"]);
  const wider = { can: { "topics/**": ["admin"] } };
  const stats = `${worker.origin}/v1/topics/news/stats?ticket=`;
  expect(await statusOf(stats + (await ticketFor(token, wider)))).toBe(403);
  expect(await statusOf(news(await ticketFor(token, wider)))).toBe(200);
  expect(await statusOf(news(await ticketFor(token, { can: {} })))).toBe(403);
  for (const body of [
    { can: "all" },
    { can: { x: ["read"] } },
    { sub: "root" },
    [],
    [{ can: {} }],
  ]) {
    expect((await exchange(token, body)).status).toBe(400);
  }
});

test("[E2][I8] a connection opened by a ticket ends with the token that it was exchanged for", async () => {
  const exp = now() + 4;
  const ticket = await ticketFor(await mint(CAN, { sub: "short", exp }));
  const text = await (await fetch(news(ticket))).text();
  expect(text).toContain('"code":"token_expired"');
  // Not at the next look, which is minutes away.
  expect(Date.now() - exp * 1_000).toBeGreaterThanOrEqual(-50);
  expect(Date.now() - exp * 1_000).toBeLessThan(10_000);
});

test("[E2][I8] nothing else in an address is a token, and a ticket changes nothing", async () => {
  const token = await mint(CAN, { sub: "url" });
  for (const name of ["token", "access_token", "authorization", "jwt"]) {
    expect(await statusOf(`${worker.origin}/v1/topics/news?format=sse&${name}=${token}`)).toBe(401);
  }
  expect(await statusOf(news(token))).toBe(401);
  for (const method of ["POST", "PUT", "DELETE", "HEAD"]) {
    expect(await statusOf(news(await ticketFor(token)), { method })).toBe(401);
  }
  for (const bad of [
    "",
    "0".repeat(64),
    "0".repeat(63),
    "G".repeat(64),
    "../..",
    "a".repeat(5_000),
  ]) {
    expect(await statusOf(news(bad))).toBe(401);
  }
  // A ticket is not exchanged for another, and needs a token in the first place.
  const ticket = await ticketFor(token);
  expect(await statusOf(`${worker.origin}/v1/tickets?ticket=${ticket}`, { method: "POST" })).toBe(
    401,
  );
});

test("[I9] no line of the log and no error repeats a ticket", async () => {
  const ticket = await ticketFor(await mint({}, { sub: "nosy" }));
  const response = await fetch(news(ticket));
  expect(response.status).toBe(403);
  const text = await response.text();
  const unknown = "f".repeat(64);
  const refused = await (await fetch(news(unknown))).text();
  for (const seen of [text, refused, worker.logs.join("\n")]) {
    expect(seen).not.toContain(ticket);
    expect(seen).not.toContain(unknown);
    expect(seen).not.toContain("ticket=");
  }
});
