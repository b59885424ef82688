/** Bodies that are no text, and what a body's bytes may be. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { sendRequest } from "../support/send-request.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { answersWell } from "../support/upstream-scripts.ts";

const json = JSON.stringify({ messages: [{ role: "user", content: "Hello?" }] });
let upstream: ScriptedUpstream;
let worker: RunningWorker;

beforeAll(async () => {
  upstream = await startUpstream(answersWell);
  worker = await startWorker({ OPENAI_BASE_URL: upstream.baseURL, OPENAI_MODEL: "test-model" });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const post = (
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
  path = "/api/chat",
) => sendRequest({ port: worker.port, method: "POST", path, headers, body });

test.each([
  ["a byte of Latin-1", [0xe9]],
  ["half a character", [0xf0, 0x9f, 0x98]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["half a pair of surrogates", [0xed, 0xa0, 0x80]],
])("[E2][L5] a body with %s is no JSON", async (_name, bytes) => {
  upstream.reply(answersWell);
  const [before = "", after = ""] = json.split("Hello?");
  const encode = (text: string): number[] => [...new TextEncoder().encode(text)];
  const { status, body } = await post(
    Uint8Array.from([...encode(before), ...bytes, ...encode(after)]),
  );
  expect([status, body["code"]]).toEqual([400, "invalid_json"]);
  expect(upstream.exchanges).toHaveLength(0);
});

test.each(["stream", "store"])(
  "[E2][L4] %s that is neither true nor false is refused",
  async (field) => {
    upstream.reply(answersWell);
    const text = JSON.stringify({ ...(JSON.parse(json) as object), [field]: "true" });
    const { status, body } = await post(text, {}, "/v1/chat/completions");
    expect([status, body["code"], body["param"]]).toEqual([400, "invalid_request", field]);
    expect(upstream.exchanges).toHaveLength(0);
  },
);

test("[E2] a byte order mark before the JSON does no harm", async () => {
  upstream.reply(answersWell);
  expect((await post(`\u{FEFF}${json}`)).status).toBe(200);
});

test.each(["gzip", "br", "deflate", "GZIP", "identity, gzip", "unknown"])(
  "[E2][L5] a body in content-encoding %s is refused, and never unpacked",
  async (encoding) => {
    upstream.reply(answersWell);
    const packed = gzipSync(json);
    for (const path of ["/api/chat", "/v1/chat/completions"]) {
      const answer = await post(packed, { "content-encoding": encoding }, path);
      expect([answer.status, answer.body["code"]]).toEqual([415, "unsupported_encoding"]);
    }
    expect(upstream.exchanges).toHaveLength(0);
    expect((await post(json, { "content-encoding": "Identity" })).status).toBe(200);
  },
);

test.each([
  ["PUT", "/v1/topics/no-body", 201],
  ["POST", "/v1/topics/no-body/close", 200],
  ["POST", "/v1/jobs/demo", 202],
])("[E1][S1] %s %s needs no body over a real connection", async (method, path, status) => {
  const response = await fetch(worker.origin + path, { method });
  expect(await response.json()).not.toHaveProperty("code");
  expect(response.status).toBe(status);
});
