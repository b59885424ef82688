/** What callers may use in all, against the running Worker: counted exactly, told in headers, given back. */
import { sign } from "hono/jwt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRawClient, type RawClient } from "../support/raw-client.ts";
import { sendRequest } from "../support/send-request.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { EVERYTHING } from "../support/tokens.ts";
import { until } from "../support/until.ts";

const AUTH_SECRET = "a-secret-of-more-than-thirty-two-characters";
let worker: RunningWorker;
let callers = 0;

beforeAll(async () => {
  worker = await startWorker({
    AUTH_SECRET,
    DEFAULT_ACCESS: JSON.stringify({ can: EVERYTHING }),
    ALLOWED_MODELS: "*",
    // By the next of them it is known that a reader has gone.
    KEEPALIVE_MS: "50",
    QUOTA_REQUESTS_PER_DAY: "100",
    QUOTA_PUBLISHES_PER_DAY: "10",
    QUOTA_BYTES_PER_DAY: "20000",
    QUOTA_TOKENS_PER_DAY: "2000",
    QUOTA_NAMES_PER_MINUTE: "8",
    QUOTA_CONNECTIONS: "3",
    QUOTA_ADDRESS_CONNECTIONS: "5",
    QUOTA_ADDRESS_PUBLISHES_PER_DAY: "15",
  });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

/** A caller nobody has seen before, on an address of its own. */
async function newCaller(address?: string) {
  callers += 1;
  const subject = `caller-${callers}`;
  const exp = Math.floor(Date.now() / 1000) + 600;
  const token = await sign({ sub: subject, iat: exp - 600, exp }, AUTH_SECRET, "HS256");
  const headers = {
    host: "sluice.example",
    authorization: `Bearer ${token}`,
    "cf-connecting-ip": address ?? `192.0.2.${callers}`,
  };
  const send = (
    method: string,
    path: string,
    body = "",
    more: Readonly<Record<string, string>> = {},
  ) => sendRequest({ port: worker.port, method, path, headers: { ...headers, ...more }, body });
  const hold = async (path: string, more: Readonly<Record<string, string>> = {}, body = "") => {
    const length = body === "" ? {} : { "content-length": String(body.length) };
    const lines = Object.entries({ ...headers, ...more, ...length }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const client = await openRawClient(
      worker.port,
      `${body === "" ? "GET" : "POST"} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`,
    );
    client.flow();
    await until("the answer's head", () => client.received().includes("\r\n\r\n"));
    return client;
  };
  return { send, hold, statusOf };
}

type Send = Awaited<ReturnType<typeof newCaller>>["send"];

function statusOf(client: RawClient): number {
  return Number(client.received().slice(9, 12));
}

const EVENTS = { accept: "text/event-stream" };
const SOCKET = {
  connection: "upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-protocol": "sluice.v1",
};

test("[E2] requests a day are counted exactly and told on every answer", async () => {
  const { send } = await newCaller();
  const statuses: number[] = [];
  for (let n = 0; n < 102; n += 1) {
    const { status, headers, body } = await send("GET", "/v1/topics/one");
    statuses.push(status);
    expect(headers["ratelimit-policy"]).toContain('"subject-requests";q=100;w=86400');
    expect(headers["ratelimit"]).toMatch(
      new RegExp(String.raw`"subject-requests";r=${Math.max(0, 99 - n)};t=\d+`),
    );
    if (status !== 429) continue;
    expect(body).toMatchObject({ code: "quota_exceeded", quota: "subject-requests" });
    expect(Number(headers["retry-after"])).toBeGreaterThan(0);
    expect(headers["x-should-retry"]).toBe("false");
  }
  expect(statuses.map((status) => status === 429).lastIndexOf(false)).toBe(99);
});

test("[E2] publishes a day count over every door; a refused request publishes nothing", async () => {
  const { send } = await newCaller();
  const event = '{"data":1}';
  expect((await send("POST", "/v1/topics/pub", `[${event},${event},${event}]`)).status).toBe(201);
  expect((await send("POST", "/v1/rooms/pub/messages", '{"event":"a","payload":1}')).status).toBe(
    201,
  );
  expect(
    (await send("POST", "/v1/topics", '[{"topic":"pub","data":1},{"topic":"pub2","data":1}]'))
      .status,
  ).toBe(200);
  const refused = await send(
    "POST",
    "/v1/topics/pub",
    `[${[event, event, event, event, event].join()}]`,
  );
  expect([refused.status, refused.body["quota"]]).toEqual([429, "subject-publishes"]);
  const { body } = await send("GET", "/v1/topics/pub/stats");
  expect(body["events"]).toBe(4);
  expect(
    (await send("POST", "/v1/topics/pub", `[${event},${event},${event},${event}]`)).status,
  ).toBe(201);
  expect((await send("POST", "/v1/topics/pub", event)).status).toBe(429);
  expect((await send("PUT", "/v1/stream/pub3", "x")).body["quota"]).toBe("subject-publishes");
});

test("[E2] bytes of a copy for a fork count, though nobody has sent them", async () => {
  const { send } = await newCaller();
  expect((await send("PUT", "/v1/stream/source", "x".repeat(7_000))).status).toBe(201);
  const fork = (name: string) =>
    send("PUT", `/v1/stream/${name}`, "", { "stream-forked-from": "/v1/stream/source" });
  expect((await fork("fork-1")).status).toBe(201);
  expect((await fork("fork-2")).body["quota"]).toBe("subject-bytes");
});

test("[E2] bytes a day are those of bodies", async () => {
  const { send } = await newCaller();
  const large = JSON.stringify({ data: "x".repeat(9_000) });
  const statuses = [];
  for (let n = 0; n < 3; n += 1)
    statuses.push((await send("POST", "/v1/topics/bytes", large)).status);
  expect(statuses).toEqual([201, 201, 429]);
});

test("[E2] a flood of room names is stopped, and known names go on", async () => {
  const { send } = await newCaller();
  const statuses: number[] = [];
  for (let n = 0; n < 10; n += 1) {
    statuses.push((await send("GET", `/v1/rooms/flood-${n}/presence`)).status);
  }
  expect(statuses).toEqual([...Array.from({ length: 8 }, () => 200), 429, 429]);
  // What was refused has not been turned to: to ask again is no way in.
  expect((await send("GET", "/v1/rooms/flood-8/presence")).status).toBe(429);
  expect((await send("GET", "/v1/rooms/flood-3/presence")).status).toBe(200);
  const batch = await send("POST", "/v1/topics", '[{"topic":"flood-x","data":1}]');
  expect([batch.status, batch.body["quota"]]).toEqual([429, "subject-names"]);
});

test.each<[string, (send: Send, n: number) => ReturnType<Send>]>([
  [
    "sources of forks",
    (send, n) =>
      send("PUT", "/v1/stream/fork", "", { "stream-forked-from": `/v1/stream/source-${n}` }),
  ],
  [
    "answers in a query",
    (send, n) => send("GET", `/api/chat/chat/stream?generation=gen_${String(n).padStart(32, "0")}`),
  ],
  ["jobs", (send) => send("POST", "/v1/jobs/demo", '{"steps":1,"stepMs":0}')],
  ["feeds", (send) => send("POST", "/v1/feeds/demo", '{"ticks":1,"tickMs":50}')],
])("[E2] a flood of names is stopped wherever they stand: %s", async (_where, ask) => {
  const { send } = await newCaller();
  const statuses: number[] = [];
  for (let n = 0; n < 9; n += 1) statuses.push((await ask(send, n)).status);
  expect(statuses[0]).not.toBe(429);
  expect(statuses.at(-1)).toBe(429);
  expect((await ask(send, 9)).body["quota"]).toBe("subject-names");
});

test("[E2] a flood of upgrades is stopped at the caller's connections, and each that closes makes room", async () => {
  const { hold, statusOf } = await newCaller();
  const clients = await Promise.all(
    Array.from({ length: 12 }, async () => await hold("/v1/rooms/upgrades", SOCKET)),
  );
  expect(clients.map(statusOf).toSorted((a, b) => a - b)).toEqual([
    101,
    101,
    101,
    ...Array.from({ length: 9 }, () => 429),
  ]);
  for (const client of clients) {
    if (statusOf(client) === 101) client.socket.destroy();
  }
  await until("room for another", async () => {
    using client = await hold("/v1/rooms/upgrades", SOCKET);
    return statusOf(client) === 101;
  });
  for (const client of clients) client[Symbol.dispose]();
});

test("[E2] event streams count as connections, those of several topics for each of them", async () => {
  const { hold, statusOf } = await newCaller();
  using two = await hold("/v1/topics?topic=a&topic=b", EVENTS);
  using one = await hold("/v1/topics/c", EVENTS);
  expect([two, one].map(statusOf)).toEqual([200, 200]);
  using refused = await hold("/v1/rooms/a/events", EVENTS);
  expect(statusOf(refused)).toBe(429);
  expect(refused.received()).toContain('"subject-connections"');
  expect(refused.received()).toMatch(/retry-after: 10\r\n/i);
  two.socket.destroy();
  await until("room for another", async () => {
    using client = await hold("/v1/topics/c", EVENTS);
    return statusOf(client) === 200;
  });
});

test("[E2] whoever asks for a stored answer takes a connection, also for one that is there", async () => {
  const { send, hold, statusOf } = await newCaller();
  const body = ask
    .replace("{", '{"stream":true,"store":true,"max_tokens":9,')
    .replace('"demo"', '"demo-endless"');
  const key = { "idempotency-key": "one answer", "content-type": "application/json" };
  const open = async () => await hold("/v1/chat/completions", key, body);
  const clients = await Promise.all(Array.from({ length: 8 }, open));
  expect(clients.map(statusOf).toSorted((a, b) => a - b)).toEqual([
    200,
    200,
    200,
    ...Array.from({ length: 5 }, () => 429),
  ]);
  const refused = clients.find((client) => statusOf(client) === 429);
  expect(refused?.received()).toContain('"subject-connections"');
  // One of another body under the same key keeps none.
  for (const client of clients) client[Symbol.dispose]();
  for (let n = 0; n < 4; n += 1) {
    await until("a conflict", async () => {
      const { status } = await send(
        "POST",
        "/v1/chat/completions",
        `${body} `.replace("What", "Who"),
        key,
      );
      expect([409, 429]).toContain(status);
      return status === 409;
    });
  }
  await until("room for another", async () => {
    using client = await open();
    return statusOf(client) === 200;
  });
});

test("[E2] an address has a quota of its own, for all subjects behind it", async () => {
  const address = "2001:db8::1";
  const callers = [await newCaller(address), await newCaller("2001:db8::2")] as const;
  const held: RawClient[] = [];
  for (const { hold } of [...callers, ...callers, ...callers])
    held.push(await hold("/v1/topics/address", EVENTS));
  expect(held.map(statusOf)).toEqual([200, 200, 200, 200, 200, 429]);
  expect(held.at(-1)?.received()).toContain('"address-connections"');
  for (const client of held) client[Symbol.dispose]();
});

test("[E2] what a subject is refused costs nobody else at its address anything", async () => {
  const address = "2001:db8:5::1";
  const [greedy, other] = [await newCaller(address), await newCaller(address)];
  const events = (count: number) => JSON.stringify(Array.from({ length: count }, () => event));
  const event = { data: 1 };
  for (let n = 0; n < 3; n += 1) {
    const refused = await greedy.send("POST", "/v1/topics/shared", events(11));
    expect([refused.status, refused.body["quota"]]).toEqual([429, "subject-publishes"]);
  }
  expect((await other.send("POST", "/v1/topics/shared", events(10))).status).toBe(201);
  const tooMany = await greedy.send("POST", "/v1/topics/shared", events(6));
  expect([tooMany.status, tooMany.body["quota"]]).toEqual([429, "address-publishes"]);
  // Nor does it cost the subject what its address is refused.
  expect((await greedy.send("POST", "/v1/topics/shared", events(5))).status).toBe(201);
});

const ask = JSON.stringify({
  messages: [{ role: "user", content: "What is Sluice?" }],
  model: "demo",
});

test.each([
  ["direct, whole", "/v1/chat/completions", ask],
  ["direct, streamed", "/v1/chat/completions", ask.replace("{", '{"stream":true,')],
  ["stored", "/api/chat", ask],
])("[E2] tokens a day are settled with what answers took: %s", async (_name, path, body) => {
  const { send } = await newCaller();
  const remaining = async (): Promise<number> => {
    const { headers } = await send("POST", path, body);
    return Number(/"subject-tokens";r=(\d+)/.exec(String(headers["ratelimit"]))?.[1]);
  };
  const first = await remaining();
  // 1024 are held while an answer is written; a short one takes less, and more is left than after two holds.
  expect(first).toBeGreaterThan(900);
  expect(first).toBeLessThan(1_000);
  await until("the settlement", async () => (await remaining()) > 2_000 - 2 * 1_024);
  // Those who ask while others are answered find what is held for these.
  const answers = await Promise.all(
    Array.from({ length: 3 }, async () => await send("POST", path, body)),
  );
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  for (const { body } of refused) {
    expect(body).toMatchObject({ code: "quota_exceeded", quota: "subject-tokens" });
  }
});
