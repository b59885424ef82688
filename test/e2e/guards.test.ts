/** What is refused before any provider is asked, and what every response carries. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { TEXT } from "../support/openai-events.ts";
import { until } from "../support/until.ts";
import { openRawClient, postRequest } from "../support/raw-client.ts";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { sendRequest } from "../support/send-request.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { answersWell } from "../support/upstream-scripts.ts";

const MAX_BODY_BYTES = 300_000;
const messages = [{ role: "user", content: "Hello?" }];
let upstream: ScriptedUpstream;
let worker: RunningWorker;

beforeAll(async () => {
  upstream = await startUpstream(answersWell);
  worker = await startWorker({
    OPENAI_BASE_URL: upstream.baseURL,
    OPENAI_MODEL: "test-model",
    ALLOWED_ORIGINS: "https://app.example.com",
    MAX_TOKENS: "100",
    MAX_BODY_BYTES: String(MAX_BODY_BYTES),
  });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const send = (
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = "",
) => sendRequest({ port: worker.port, method, path, headers, body });

const post = (body: unknown, headers: Readonly<Record<string, string>> = {}, path = "/api/chat") =>
  send("POST", path, headers, typeof body === "string" ? body : JSON.stringify(body));

test.each([
  "example.com",
  "sluice.example.workers.dev",
  "localhost.example.com",
  "10.0.0.1",
  "127.0.0.1.nip.io",
])("[E2] without a secret, host %s is told what to set", async (host) => {
  for (const path of ["/healthz", "/api/chat", "/v1/chat/completions", "/", "/nowhere"]) {
    const { status, body } = await send(path.startsWith("/api") ? "POST" : "GET", path, { host });
    expect(status).toBe(503);
    expect(body["code"]).toBe("not_configured");
    expect(body["detail"]).toContain("AUTH_SECRET");
  }
});

test.each(["localhost", "localhost:1234", "127.0.0.1", "app.localhost", "[::1]:8787"])(
  "[E2] without a secret, host %s is this machine",
  async (host) => {
    expect((await send("GET", "/healthz", { host })).status).toBe(200);
  },
);

test.each(["GET", "POST"])(
  "[E2] a %s under a foreign name is refused, whatever address its headers claim",
  async (method) => {
    upstream.reply(answersWell);
    const origin = `http://localhost:${worker.port}`;
    const body = JSON.stringify({ messages });
    const path = method === "GET" ? "/healthz" : "/api/chat";
    const head = [
      `${method} ${path} HTTP/1.1`,
      "host: evil.example",
      `mf-original-url: ${origin}${path}`,
      "x-forwarded-host: localhost",
      "x-forwarded-proto: http",
      "connection: close",
      `content-length: ${method === "GET" ? 0 : body.length}`,
    ];
    using client = await openRawClient(
      worker.port,
      `${head.join("\r\n")}\r\n\r\n${method === "GET" ? "" : body}`,
    );
    client.flow();
    await until("the whole answer", client.isOver);
    expect(client.received()).toMatch(/^HTTP\/1\.1 503 /);
    expect(client.received()).toContain('"code":"not_configured"');
    expect(upstream.exchanges).toHaveLength(0);
  },
);

test.each([
  "https://evil.example",
  "null",
  "http://localhost.evil.example",
  "https://app.example.com.evil.example",
  "garbage",
])("[E2] a page of origin %s is refused before anything is spent", async (origin) => {
  upstream.reply(answersWell);
  const { status, headers, body } = await post({ messages }, { origin });
  expect(status).toBe(403);
  expect(body["code"]).toBe("origin_not_allowed");
  expect(headers["access-control-allow-origin"]).toBeUndefined();
  expect(upstream.exchanges).toHaveLength(0);
});

test.each(["http://localhost:5173", "http://127.0.0.1:3000", "https://app.example.com"])(
  "[E2] a page of origin %s may read answers and errors",
  async (origin) => {
    const good = await post({ messages }, { origin });
    const bad = await post("{", { origin });
    const missing = await send("GET", "/v1/nowhere", { origin });
    expect([good.status, bad.status, missing.status]).toEqual([200, 400, 404]);
    for (const { headers } of [good, bad, missing]) {
      expect(headers["access-control-allow-origin"]).toBe(origin);
      expect(String(headers["access-control-expose-headers"]).toLowerCase()).toContain(
        "x-request-id",
      );
      expect(String(headers["vary"]).toLowerCase()).toContain("origin");
    }
    const preflight = await send("OPTIONS", "/v1/chat/completions", {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type,x-stainless-os",
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe(origin);
    expect(String(preflight.headers["access-control-allow-headers"])).toContain("x-stainless-os");
  },
);

const deep = `{"messages": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
const refused: readonly (readonly [string, unknown, number, string])[] = [
  ["no JSON", "hello", 400, "invalid_json"],
  ["nothing", "", 400, "invalid_json"],
  ["a depth bomb", deep, 400, "invalid_json"],
  ["an unclosed depth bomb", "[".repeat(100_000), 400, "invalid_json"],
  ["a depth bomb of objects", '{"a":'.repeat(40_000), 400, "invalid_json"],
  ["an array", [], 400, "invalid_request"],
  ["null", "null", 400, "invalid_request"],
  ["no messages", {}, 400, "invalid_request"],
  ["empty messages", { messages: [] }, 400, "invalid_request"],
  ["messages without roles", { messages: [{ content: "x" }] }, 400, "invalid_request"],
  [
    "too many messages",
    { messages: Array.from({ length: 4_097 }, () => ({ role: "user", content: "" })) },
    400,
    "invalid_request",
  ],
  ["n: 2", { messages, n: 2 }, 400, "too_many_choices"],
  ["n: 0", { messages, n: 0 }, 400, "too_many_choices"],
  ["another model", { messages, model: "gpt-99" }, 403, "model_not_allowed"],
  ["max_tokens", { messages, max_tokens: 101 }, 400, "too_many_tokens"],
  [
    "max_completion_tokens",
    { messages, max_tokens: 1, max_completion_tokens: 101 },
    400,
    "too_many_tokens",
  ],
  ["max_tokens: -1", { messages, max_tokens: -1 }, 400, "invalid_request"],
  ["a body over the limit", { messages, pad: "x".repeat(MAX_BODY_BYTES) }, 413, "body_too_large"],
];

test.each(refused)(
  "[E2][L5] %s is refused on both doors and costs nothing",
  async (_name, body, status, code) => {
    upstream.reply(answersWell);
    for (const path of ["/api/chat", "/v1/chat/completions"]) {
      const answer = await post(body, {}, path);
      expect([answer.status, answer.body["code"]]).toEqual([status, code]);
      expect(answer.headers["content-type"]).toBe("application/problem+json");
      expect(answer.headers["x-request-id"]).toBe(answer.body["requestId"]);
      if (path.startsWith("/v1")) expect(answer.body["error"]).toMatchObject({ code });
    }
    expect(upstream.exchanges).toHaveLength(0);
  },
);

test("[E2] prototype names in a body are just names", async () => {
  upstream.reply(answersWell);
  const body = `{"messages": [{"role": "user", "content": "x", "__proto__": {"a": 1}}], "__proto__": {"n": 2}, "constructor": 1}`;
  expect((await post(body)).status).toBe(200);
});

test("[L1] a request that names no limit is given the operator's", async () => {
  upstream.reply(answersWell);
  await post({ messages });
  expect(upstream.exchanges[0]?.body).toMatchObject({
    max_completion_tokens: 100,
    model: "test-model",
  });
});

test("[E2] a caller cannot choose the provider's address, key or headers", async () => {
  upstream.reply(answersWell);
  const headers = {
    "x-forwarded-host": "evil.example",
    authorization: "Bearer caller",
    cookie: "a=b",
    "openai-organization": "org",
  };
  const { status } = await post(
    { messages, baseURL: "http://evil.example", base_url: "http://evil.example" },
    headers,
  );
  expect(status).toBe(200);
  const sent = upstream.exchanges[0]?.headers ?? {};
  expect(sent["authorization"]).not.toContain("caller");
  expect(sent["cookie"]).toBeUndefined();
  expect(sent["openai-organization"]).toBeUndefined();
  expect(sent["x-forwarded-host"]).toBeUndefined();
});

test("[E2][B1] a body that never ends is refused while it is sent", async () => {
  const head = "POST /api/chat HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
  using client = await openRawClient(worker.port, head);
  client.flow();
  const piece = "x".repeat(10_000);
  const chunked = `${piece.length.toString(16)}\r\n${piece}\r\n`;
  // One piece over the limit and no more: what is sent into a closed connection could cost the answer.
  for (let sent = 0; sent <= MAX_BODY_BYTES; sent += piece.length) client.socket.write(chunked);
  await until("an answer", () => client.receivedBytes() > 0 || client.isOver());
  expect(client.received()).toMatch(/^HTTP\/1\.1 413 /);
});

test("[E2] a body that says that it is too long is refused before it is sent", async () => {
  const head = "POST /api/chat HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999999999\r\n\r\n{";
  using client = await openRawClient(worker.port, head);
  client.flow();
  await until("an answer", () => client.receivedBytes() > 0);
  expect(client.received()).toMatch(/^HTTP\/1\.1 413 /);
});

test("[E2] a caller who sends half a body and leaves harms nobody", async () => {
  for (const leave of ["destroy", "resetAndDestroy"] as const) {
    using client = await openRawClient(
      worker.port,
      postRequest("/api/chat", { messages }).slice(0, -10),
    );
    client.socket[leave]();
  }
  expect((await post({ messages })).status).toBe(200);
});

test("[S1][E1] every response has a request id: the caller's if it is sane, else a new one", async () => {
  const own = await post({ messages }, { "x-request-id": "abc-123" });
  expect(own.headers["x-request-id"]).toBe("abc-123");
  expect(String(own.body["text"])).toContain(TEXT.slice(0, 5));
  for (const [method, path] of [
    ["GET", "/healthz"],
    ["GET", "/"],
    ["GET", "/nowhere"],
    ["GET", "/v1/nowhere"],
    ["POST", "/api/chat"],
  ] as const) {
    const { headers } = await send(method, path, { "x-request-id": `${"x".repeat(70)}<script>` });
    expect([path, headers["x-request-id"]]).toEqual([
      path,
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ]);
  }
});
