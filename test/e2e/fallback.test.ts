/** The ordered list of providers: who is asked, how often, and what the client sees of it. */
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ROLE, TEXT, chunk, event } from "../support/openai-events.ts";
import { until } from "../support/until.ts";
import { asSimpleAnswer, readEventStream } from "../support/read-answer.ts";
import { type Script, type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import {
  answersWell,
  diesBeforeHeaders,
  neverAnswers,
  plays,
  refuses,
  stallsAfter,
} from "../support/upstream-scripts.ts";

const messages = [{ role: "user" as const, content: "Hello?" }];
const model = "test-model";
let primary: ScriptedUpstream;
let second: ScriptedUpstream;
let worker: RunningWorker;

beforeAll(async () => {
  primary = await startUpstream();
  second = await startUpstream();
  worker = await startWorker({
    OPENAI_BASE_URL: primary.baseURL,
    OPENAI_API_KEY: "sk-primary",
    OPENAI_MODEL: model,
    FIRST_TOKEN_TIMEOUT_MS: "800",
    IDLE_TIMEOUT_MS: "800",
    LLM_FALLBACKS: JSON.stringify([
      { baseURL: second.baseURL, apiKey: "sk-second", model: "other-name" },
    ]),
  });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await primary[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

beforeEach(() => {
  second.reply(answersWell);
});

async function ask(): Promise<{
  status: number;
  content: string;
  ends: readonly string[];
  headers: Headers;
}> {
  const response = await fetch(`${worker.origin}/api/chat`, {
    method: "POST",
    body: JSON.stringify({ messages }),
  });
  const { status, headers } = response;
  if (status !== 200) {
    const { code } = await response.json<{ readonly code: string }>();
    return { status, headers, content: "", ends: [code] };
  }
  return { status, headers, ...asSimpleAnswer(await readEventStream(response)) };
}

function asked(): readonly [number, number] {
  return [primary.exchanges.length, second.exchanges.length];
}

const mendable: readonly (readonly [string, Script])[] = [
  ["500", refuses(500, {})],
  ["503", refuses(503, "busy")],
  ["408", refuses(408, {})],
  ["409", refuses(409, {})],
  ["429", refuses(429, {})],
  ["429 and asks for an hour", refuses(429, {}, { "retry-after": "3600" })],
  ["a closed connection", diesBeforeHeaders("cut")],
  ["a reset connection", diesBeforeHeaders("reset")],
  ["silence", neverAnswers],
  ["an HTML page", refuses(200, "<html>")],
  ["an error event first", plays([event({ error: { message: "x" } })])],
  ["a role and a closed connection", plays([ROLE], "cut")],
  ["a role and then silence", stallsAfter([ROLE])],
  ["a role and an early end", plays([ROLE])],
];

test.each(mendable)(
  "[L5] after %s the next provider answers, one request each",
  async (_name, script) => {
    primary.reply(script);
    const { status, content, ends } = await ask();
    expect({ status, content, ends }).toEqual({ status: 200, content: TEXT, ends: ["[DONE]"] });
    expect(asked()).toEqual([1, 1]);
    await until("the first answer to be closed", () => primary.openAnswers() === 0);
  },
);

test("[L5] the next provider gets its own key and its own name for the model, and all else unchanged", async () => {
  primary.reply(refuses(500, {}));
  const client = new OpenAI({ baseURL: `${worker.origin}/v1`, apiKey: "x", maxRetries: 0 });
  const { choices } = await client.chat.completions.create({ model, messages, temperature: 0 });
  expect(choices[0]?.message.content).toBe(TEXT);
  expect(primary.exchanges[0]?.headers.authorization).toBe("Bearer sk-primary");
  expect(primary.exchanges[0]?.body).toEqual({ model, messages, temperature: 0, stream: false });
  expect(second.exchanges[0]?.headers.authorization).toBe("Bearer sk-second");
  expect(second.exchanges[0]?.body).toEqual({
    model: "other-name",
    messages,
    temperature: 0,
    stream: false,
  });
});

test.each([
  [400, 400],
  [401, 502],
  [403, 502],
  [404, 400],
  [422, 400],
])("[L5] %i is final: nobody else is asked", async (theirs, ours) => {
  primary.reply(refuses(theirs, { error: { message: "no" } }));
  expect((await ask()).status).toBe(ours);
  expect(asked()).toEqual([1, 0]);
});

test.each([
  ["a closed connection", plays([ROLE, chunk({ content: "half" })], "cut")],
  ["silence", stallsAfter([ROLE, chunk({ content: "half" })])],
  ["an error", plays([ROLE, chunk({ content: "half" }), event({ error: "x" })])],
])("[L5] after the first token %s is the end", async (_name, script) => {
  primary.reply(script);
  const { content, ends } = await ask();
  expect(content).toBe("half");
  expect(ends[0]).toMatch(/^error /);
  expect(asked()).toEqual([1, 0]);
});

test.each([
  ["reasoning", chunk({ reasoning_content: "hm" })],
  ["a tool call", chunk({ tool_calls: [{ index: 0, id: "c", function: { name: "f" } }] })],
])("[L5] %s counts as the first token", async (_name, speech) => {
  primary.reply(plays([ROLE, speech], "cut"));
  expect((await ask()).ends[0]).toMatch(/^error /);
  expect(asked()).toEqual([1, 0]);
});

test("[L5] when all fail, each is asked twice and the client hears of the last", async () => {
  primary.reply(refuses(500, {}));
  second.reply(refuses(503, {}));
  expect(await ask()).toMatchObject({ status: 502, ends: ["upstream_unavailable"] });
  expect(asked()).toEqual([2, 2]);
});

test("[L5] a short retry-after is waited for", async () => {
  const limited = refuses(429, {}, { "retry-after-ms": "300" });
  primary.reply(limited, answersWell);
  second.reply(limited);
  const before = performance.now();
  expect(await ask()).toMatchObject({ status: 200, content: TEXT });
  expect(performance.now() - before).toBeGreaterThan(290);
  expect(asked()).toEqual([2, 1]);
});

test("[L5] a long retry-after is the client's to wait for", async () => {
  primary.reply(refuses(429, {}, { "retry-after": "30" }));
  second.reply(refuses(429, {}, { "retry-after": "60" }));
  const { status, headers, ends } = await ask();
  expect(status).toBe(429);
  expect(ends).toEqual(["upstream_rate_limited"]);
  // As soon as anybody may be asked again.
  expect(headers.get("retry-after")).toBe("30");
  expect(asked()).toEqual([1, 1]);
});

test("[L5] a provider that asks for an hour is left alone while another is tried again", async () => {
  primary.reply(refuses(429, {}, { "retry-after": "3600" }));
  second.reply(refuses(503, {}), answersWell);
  expect(await ask()).toMatchObject({ status: 200, content: TEXT });
  expect(asked()).toEqual([1, 2]);
});

test("[L5] the official client takes an answer whose role came from one provider and its text from another", async () => {
  primary.reply(plays([ROLE], "cut"));
  const client = new OpenAI({ baseURL: `${worker.origin}/v1`, apiKey: "x", maxRetries: 0 });
  const runner = client.chat.completions.stream({ model, messages });
  expect((await runner.finalChatCompletion()).choices[0]?.message.content).toBe(TEXT);
});
