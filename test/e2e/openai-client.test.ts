/** The official `openai` client, unchanged, against the running Worker. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import OpenAI, { APIError, APIUserAbortError, NotFoundError, RateLimitError } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DONE, ROLE, TEXT, TOOL_CALL, USAGE, chunk, event } from "../support/openai-events.ts";
import { until } from "../support/until.ts";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { answersWell, neverEnds, plays, refuses } from "../support/upstream-scripts.ts";

const messages = [{ role: "user" as const, content: "Hello?" }];
const model = "test-model";
let upstream: ScriptedUpstream;
let worker: RunningWorker;
let client: OpenAI;

beforeAll(async () => {
  upstream = await startUpstream();
  worker = await startWorker({
    OPENAI_BASE_URL: upstream.baseURL,
    OPENAI_API_KEY: "sk-upstream",
    OPENAI_MODEL: model,
  });
  client = new OpenAI({ baseURL: `${worker.origin}/v1`, apiKey: "anything", maxRetries: 0 });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

test("[E1][L1] streams text, a usage chunk and an end", async () => {
  upstream.reply(answersWell);
  const stream = await client.chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let finish: string | null = null;
  let total = 0;
  for await (const part of stream) {
    text += part.choices[0]?.delta.content ?? "";
    finish = part.choices[0]?.finish_reason ?? finish;
    total = part.usage?.total_tokens ?? total;
  }
  expect({ text, finish, total }).toEqual({ text: TEXT, finish: "stop", total: 8 });
});

test("[E1][L1] answers whole, and keeps the request id where the client looks for it", async () => {
  upstream.reply(answersWell);
  const { data, request_id: requestId } = await client.chat.completions
    .create({ model, messages })
    .withResponse();
  expect(data.choices[0]?.message.content).toBe(TEXT);
  expect(data.usage?.total_tokens).toBe(8);
  expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
});

test("[E1][L1] lists the models that may be asked for, and finds one of them", async () => {
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  expect(ids).toEqual([model]);
  expect(await client.models.retrieve(model)).toMatchObject({ id: model, object: "model" });
  await expect(client.models.retrieve("another")).rejects.toThrow(NotFoundError);
});

test("[L1] passes every field on and puts its own key in place of the caller's", async () => {
  upstream.reply(answersWell);
  const fields = {
    temperature: 0.2,
    seed: 7,
    stop: ["\n\n"],
    response_format: { type: "json_object" as const },
    reasoning_effort: "low" as const,
    tool_choice: "auto" as const,
    tools: [
      {
        type: "function" as const,
        function: { name: "weather", parameters: { type: "object", properties: {} } },
      },
    ],
    stream_options: { include_usage: true },
    metadata: { a: "b" },
  };
  const stream = await client.chat.completions.create({ model, messages, stream: true, ...fields });
  for await (const _part of stream);
  const [asked] = upstream.exchanges;
  expect(asked?.body).toEqual({ model, messages, stream: true, ...fields });
  expect(asked?.headers.authorization).toBe("Bearer sk-upstream");
  expect(asked?.path).toBe("/v1/chat/completions");
});

test("[L1] assembles a tool call from its pieces", async () => {
  upstream.reply(plays(TOOL_CALL));
  const runner = client.chat.completions.stream({ model, messages });
  const message = (await runner.finalChatCompletion()).choices[0]?.message;
  expect(message?.tool_calls?.[0]).toMatchObject({
    id: "call_1",
    function: { name: "weather", arguments: '{"city":"Linz"}' },
  });
});

test("[L3] a break out of the loop closes the provider's socket", async () => {
  upstream.reply(neverEnds(chunk({ content: "again " })));
  const stream = await client.chat.completions.create({ model, messages, stream: true });
  for await (const part of stream) {
    if (part.choices[0]?.delta.content === "again ") break;
  }
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
});

test("[L3] an abort before the first token closes the provider's socket", async () => {
  upstream.reply(async (wire) => {
    await wire.closed;
  });
  const controller = new AbortController();
  const asking = client.chat.completions.create(
    { model, messages, stream: true },
    { signal: controller.signal },
  );
  const failure = expect(asking).rejects.toBeInstanceOf(APIUserAbortError);
  await until("the provider to be asked", () => upstream.exchanges.length === 1);
  controller.abort();
  await failure;
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
});

test("[L5] an error before the stream is the client's own error class, with its code", async () => {
  upstream.reply(
    refuses(429, { error: { message: "no", code: "insufficient_quota" } }, RETRY_LATER),
  );
  const limited = await client.chat.completions
    .create({ model, messages, stream: true })
    .catch((error: unknown) => error);
  expect(limited).toBeInstanceOf(RateLimitError);
  expect(limited).toMatchObject({ code: "insufficient_quota", type: "rate_limit_error" });
  expect((limited as APIError).headers?.get("retry-after")).toBe("3600");

  const nowhere = await client.post("/nowhere", { body: {} }).catch((error: unknown) => error);
  expect(nowhere).toBeInstanceOf(NotFoundError);
});

test("[L5] an error inside the stream is an APIError after the text before it", async () => {
  upstream.reply(
    plays([
      ROLE,
      chunk({ content: "half" }),
      event({ error: { message: "boom", code: "server_error" } }),
    ]),
  );
  const stream = await client.chat.completions.create({ model, messages, stream: true });
  let text = "";
  const reading = (async () => {
    for await (const part of stream) text += part.choices[0]?.delta.content ?? "";
  })();
  await expect(reading).rejects.toMatchObject({ code: "upstream_unavailable" });
  await expect(reading).rejects.toBeInstanceOf(APIError);
  expect(text).toBe("half");
});

test("[L1] a provider that leaves out [DONE] has finished all the same", async () => {
  upstream.reply(plays([ROLE, chunk({ content: "ok" }), chunk({}, "stop"), USAGE]));
  const response = await client.chat.completions
    .create({ model, messages, stream: true })
    .asResponse();
  expect((await response.text()).endsWith(USAGE + DONE)).toBe(true);
});

const RETRY_LATER = { "retry-after": "3600" };

test("[E1][L3][L4] the example of a stored answer runs as it stands in the documentation", async () => {
  await using demo = await startWorker({});
  const [, code = ""] = /```ts\n([^]*?)```/.exec(readFileSync("docs/generations.md", "utf8")) ?? [];
  const script = code.replaceAll("http://localhost:8787", demo.origin);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    "--input-type=module-typescript",
    "-e",
    script,
  ]);
  expect(stderr).toBe("");
  expect(stdout.replaceAll("\n", "")).toContain("Sluice");
  expect(stdout).toMatch(/\nstop [1-9]\d*\n$/);
});
