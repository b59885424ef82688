/** Clients that are not ours, unchanged: the AI SDK, a bare `fetch`, and `curl`. */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { jsonSchema, stepCountIs, streamText, tool } from "ai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ANSWER, ROLE, TEXT, TOOL_CALL, chunk, event } from "../support/openai-events.ts";
import { until } from "../support/until.ts";
import { asSimpleAnswer, readEventStream } from "../support/read-answer.ts";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { answersWell, neverEnds, plays, refuses } from "../support/upstream-scripts.ts";

const modelId = "test-model";
const messages = [{ role: "user" as const, content: "Hello?" }];
let upstream: ScriptedUpstream;
let worker: RunningWorker;
let model: ReturnType<ReturnType<typeof createOpenAICompatible>>;

beforeAll(async () => {
  upstream = await startUpstream();
  worker = await startWorker({ OPENAI_BASE_URL: upstream.baseURL, OPENAI_MODEL: modelId });
  const provider = createOpenAICompatible({
    name: "sluice",
    baseURL: `${worker.origin}/v1`,
    includeUsage: true,
  });
  model = provider(modelId);
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

test("[E1][L1] the AI SDK streams text and usage", async () => {
  upstream.reply(answersWell);
  const result = streamText({ model, messages, maxRetries: 0 });
  let text = "";
  for await (const delta of result.textStream) text += delta;
  expect(text).toBe(TEXT);
  expect(await result.finishReason).toBe("stop");
  expect((await result.usage).totalTokens).toBe(8);
});

test("[E1][L1] the AI SDK calls a tool and goes on with its result", async () => {
  upstream.reply(plays(TOOL_CALL), answersWell);
  const weather = tool({
    description: "The weather in a city.",
    inputSchema: jsonSchema<{ readonly city: string }>({
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
    }),
    execute: ({ city }) => `Sunny in ${city}.`,
  });
  const result = streamText({
    model,
    messages,
    tools: { weather },
    stopWhen: stepCountIs(3),
    maxRetries: 0,
  });
  await result.consumeStream();
  expect(await result.text).toBe(TEXT);
  expect((await result.steps).map(({ finishReason }) => finishReason)).toEqual([
    "tool-calls",
    "stop",
  ]);
  const [, second] = upstream.exchanges;
  expect(second?.body["messages"]).toMatchObject([
    { role: "user" },
    {
      role: "assistant",
      tool_calls: [{ id: "call_1", function: { name: "weather", arguments: '{"city":"Linz"}' } }],
    },
    { role: "tool", tool_call_id: "call_1", content: "Sunny in Linz." },
  ]);
});

test.each([
  ["before", refuses(500, { error: { message: "boom" } })],
  ["inside", plays([ROLE, chunk({ content: "half" }), event({ error: { message: "boom" } })])],
  ["at a truncated end of", plays([ROLE, chunk({ content: "half" })])],
  ["at a broken end of", plays([ROLE, chunk({ content: "half" })], "cut")],
])("[L5] the AI SDK reports an error %s the stream", async (_where, script) => {
  upstream.reply(script);
  const errors: unknown[] = [];
  const result = streamText({
    model,
    messages,
    maxRetries: 0,
    onError: ({ error }) => {
      errors.push(error);
    },
  });
  const types: string[] = [];
  for await (const { type } of result.fullStream) types.push(type);
  expect(types).toContain("error");
  expect(errors).toHaveLength(1);
});

test("[L3] the AI SDK's abort closes the provider's socket", async () => {
  upstream.reply(neverEnds(chunk({ content: "again " })));
  const controller = new AbortController();
  const result = streamText({ model, messages, maxRetries: 0, abortSignal: controller.signal });
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") controller.abort();
  }
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
});

test("[E1][L2][S1] a bare fetch reads /api/chat", async () => {
  upstream.reply(plays(ANSWER));
  const response = await fetch(`${worker.origin}/api/chat`, {
    method: "POST",
    body: JSON.stringify({ messages }),
  });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
  expect(response.headers.get("x-accel-buffering")).toBe("no");
  expect(response.headers.get("content-encoding")).toBeNull();
  const seen = await readEventStream(response);
  expect(asSimpleAnswer(seen)).toEqual({ content: TEXT, ends: ["[DONE]"] });
  // Three lines of client code must do: split at blank lines, cut off `data: `, parse.
  const lines = seen.text.split("\n\n").filter((line) => line !== "");
  expect(lines.pop()).toBe("data: [DONE]");
  const contents = lines.map(
    (line) => (JSON.parse(line.slice("data: ".length)) as { readonly content: string }).content,
  );
  expect(contents.join("")).toBe(TEXT);
});

test("[S1] the first token arrives while the provider is still silent about the second", async () => {
  const { promise: first, resolve: sawFirst } = Promise.withResolvers<void>();
  upstream.reply(async (wire) => {
    wire.head(200, { "content-type": "text/event-stream" });
    await wire.write(ROLE + chunk({ content: "first" }));
    await first;
    for (const event of ANSWER.slice(1)) await wire.write(event);
    wire.end();
  });
  const response = await fetch(`${worker.origin}/api/chat`, {
    method: "POST",
    headers: { "accept-encoding": "gzip, br" },
    body: JSON.stringify({ messages }),
  });
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(bytes, { stream: true });
    if (text.includes("first")) sawFirst();
  }
  expect(text).toMatch(/data: \[DONE\]\n\n$/);
});

test("[E1] curl -N reads both doors", async () => {
  upstream.reply(plays(ANSWER));
  const simple = await curl("/api/chat", { messages });
  const openai = await curl("/v1/chat/completions", { model: modelId, messages, stream: true });
  expect(simple).toMatch(/^data: \{"content":"Grüße"\}\n\n.*data: \[DONE\]\n\n$/s);
  expect(openai).toBe(ANSWER.join(""));
});

/** `curl -N`; a machine without it asks in the same words with `fetch`. */
async function curl(path: string, body: unknown): Promise<string> {
  const url = `${worker.origin}${path}`;
  const data = JSON.stringify(body);
  if (spawnSync("curl", ["--version"]).error !== undefined) {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return await (await fetch(url, { method: "POST", headers, body: data })).text();
  }
  const { stdout } = await promisify(execFile)("curl", ["-sN", url, "-d", data]);
  return stdout;
}
