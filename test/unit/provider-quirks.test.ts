/**
 * What real providers send, through the same functions as in the Worker, and what the strictest
 * clients make of our output: the official `openai` parser, the AI SDK, and a reader of `/api/chat`.
 */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";
import OpenAI, { APIError } from "openai";
import { expect, test } from "vitest";
import { type AnswerContext, streamAnswer } from "../../src/llm/answer.ts";
import { type Dialect, renderAnswer } from "../../src/llm/dialects/dialect.ts";
import { openaiDialect } from "../../src/llm/dialects/openai.ts";
import { simpleDialect } from "../../src/llm/dialects/simple.ts";
import { createUpstream } from "../../src/llm/upstream.ts";
import { systemClock } from "../../src/stream/clock.ts";
import { toReadable } from "../../src/stream/to-readable.ts";
import { ROLE, chunk } from "../support/openai-events.ts";
import { BADLY, WELL } from "../support/provider-streams.ts";
import { asSimpleAnswer, readEventStream } from "../support/read-answer.ts";

const request = { model: "m", messages: [{ role: "user" }], stream: true } as const;
const messages = [{ role: "user" as const, content: "Hello?" }];

/** Our response to a provider that sends these bytes, in this format. */
function answer(bytes: string, dialect: Dialect): Response {
  const provider = async (): Promise<Response> =>
    new Response(new Blob([bytes]).stream(), { headers: { "content-type": "text/event-stream" } });
  const { signal } = new AbortController();
  const context: AnswerContext = {
    signal,
    clock: systemClock,
    random: () => 0,
    upstreams: [
      createUpstream(
        "test",
        { apiKey: "k", baseURL: "http://x.invalid", model: undefined },
        { clock: systemClock, fetch: provider },
      ),
    ],
    limits: { firstTokenMs: 5_000, idleMs: 5_000, totalMs: 5_000, maxOutputBytes: 1_000_000 },
  };
  const rendered = renderAnswer(streamAnswer(request, context), dialect, {
    signal,
    report: () => {},
  });
  return new Response(
    toReadable(rendered, () => {}),
    { headers: { "content-type": "text/event-stream" } },
  );
}

/** What a client understood: text, reasoning, tokens in all, and the error's code if there was one. */
interface Understood {
  readonly text: string;
  readonly reasoning: string;
  readonly tokens: number | undefined;
  readonly error: string | undefined;
}

async function askOpenAI(bytes: string): Promise<Understood> {
  const client = new OpenAI({
    apiKey: "k",
    baseURL: "http://sluice.invalid/v1",
    maxRetries: 0,
    fetch: async () => answer(bytes, openaiDialect),
  });
  let [text, reasoning] = ["", ""];
  let tokens: number | undefined;
  try {
    const stream = await client.chat.completions.create({ model: "m", messages, stream: true });
    for await (const { choices, usage } of stream) {
      const delta = choices[0]?.delta as Readonly<Record<string, string | null>> | undefined;
      text += delta?.["content"] ?? "";
      reasoning += delta?.["reasoning_content"] ?? delta?.["reasoning"] ?? "";
      tokens = usage?.total_tokens ?? tokens;
    }
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    return { text, reasoning, tokens, error: String(error.code) };
  }
  return { text, reasoning, tokens, error: undefined };
}

async function askAiSdk(bytes: string): Promise<Understood> {
  const provider = createOpenAICompatible({
    name: "sluice",
    baseURL: "http://sluice.invalid/v1",
    fetch: async () => answer(bytes, openaiDialect),
  });
  const result = streamText({ model: provider("m"), messages, maxRetries: 0, onError: () => {} });
  let [text, reasoning] = ["", ""];
  let error: string | undefined;
  let tokens: number | undefined;
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") text += part.text;
    else if (part.type === "reasoning-delta") reasoning += part.text;
    else if (part.type === "error") error = String(part.error);
    else if (part.type === "finish") tokens = part.totalUsage.totalTokens;
  }
  return { text, reasoning, tokens, error };
}

test.each(WELL)(
  "[L1][E1] %s: every client reads the answer",
  async (name, bytes, { reasoning = "", tokens }) => {
    const text = name === "line separators that are none" ? "Hi\u2028 \u0085you" : "Hi you";
    const openai = await askOpenAI(bytes);
    expect(openai).toEqual({ text, reasoning, tokens, error: undefined });
    const { tokens: seenTokens, error, ...seen } = await askAiSdk(bytes);
    expect(seen).toEqual({ text, reasoning });
    // This client asks for more than OpenAI promises: an end without a reason counts as an error there.
    if (name !== "no finish_reason but [DONE]") expect(error).toBeUndefined();
    if (tokens !== undefined) expect(seenTokens).toBe(tokens);
    const simple = await readEventStream(answer(bytes, simpleDialect));
    expect(asSimpleAnswer(simple)).toEqual({ content: text, ends: ["[DONE]"] });
  },
);

test.each(BADLY)(
  "[L5][E1] %s after some text is an error to every client",
  async (_name, end, code) => {
    const bytes = ROLE + chunk({ content: "half" }) + end;
    expect(await askOpenAI(bytes)).toMatchObject({ text: "half", error: code });
    const aiSdk = await askAiSdk(bytes);
    expect(aiSdk.text).toBe("half");
    expect(aiSdk.error).toBeDefined();
    const { content, ends } = asSimpleAnswer(await readEventStream(answer(bytes, simpleDialect)));
    expect(content).toBe("half");
    expect(ends).toEqual([expect.stringMatching(/^error upstream_/)]);
  },
);
