import { DefaultChatTransport, readUIMessageStream, type UIMessage } from "ai";
import { describe, expect, it } from "vitest";
import type { AnswerChunk } from "../../../src/llm/progress.ts";
import type { Chunk } from "../../../src/llm/chunk.ts";
import { UiMessageDialect } from "../../../src/llm/dialects/ui-message.ts";
import { SluiceError } from "../../../src/protocol/errors.ts";

const say = (delta: object, finish: string | null = null): AnswerChunk => {
  const chunk = { choices: [{ index: 0, delta, finish_reason: finish }] };
  return { chunk, json: JSON.stringify(chunk) };
};
const usage: AnswerChunk = (() => {
  const chunk: Chunk = {
    choices: [],
    usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
  };
  return { chunk, json: JSON.stringify(chunk) };
})();

/** What the AI SDK's own transport and reader make of a stream. */
async function readAsClient(text: string): Promise<{ message: UIMessage; errors: string[] }> {
  const transport = new DefaultChatTransport({ fetch: async () => new Response(text) });
  const stream = await transport.sendMessages({
    chatId: "chat",
    messages: [],
    trigger: "submit-message",
    messageId: undefined,
    abortSignal: undefined,
  });
  let message: UIMessage | undefined;
  const errors: string[] = [];
  const messages = readUIMessageStream({
    stream,
    onError: (error) => errors.push(String(error)),
  });
  for await (const state of messages) message = state;
  if (message === undefined) throw new Error("no message came of it");
  return { message, errors };
}

const render = (chunks: readonly AnswerChunk[], end: (dialect: UiMessageDialect) => string) => {
  const dialect = new UiMessageDialect("gen_1", { generation: "gen_1" });
  return chunks.map((chunk) => dialect.chunk(chunk)).join("") + end(dialect);
};
const completely = (dialect: UiMessageDialect): string => dialect.end();

describe("[E1] the UI message stream, read by the AI SDK itself", () => {
  it("[E1][L4] is text, reasoning, sources and usage", async () => {
    const { message, errors } = await readAsClient(
      render(
        [
          say({ role: "assistant", content: "" }),
          say({ reasoning_content: "Hm" }),
          say({ reasoning_content: " 🤔" }),
          say({ content: "Grü" }),
          say({
            content: "ße",
            annotations: [
              { type: "url_citation", url_citation: { url: "https://a.example/", title: "A" } },
            ],
          }),
          say({}, "stop"),
          usage,
        ],
        completely,
      ),
    );
    expect(errors).toEqual([]);
    expect(message).toMatchObject({
      id: "gen_1",
      role: "assistant",
      metadata: { generation: "gen_1", usage: { total_tokens: 8 } },
      parts: [
        { type: "step-start" },
        { type: "reasoning", text: "Hm 🤔", state: "done" },
        { type: "text", text: "Grüße", state: "done" },
        { type: "source-url", url: "https://a.example/", title: "A" },
      ],
    });
  });

  it("[E1] has each tool's input, whole and in pieces, also when they alternate", async () => {
    const call = (index: number, part: object) => say({ tool_calls: [{ index, ...part }] });
    const { message, errors } = await readAsClient(
      render(
        [
          say({ content: "Looking." }),
          call(0, { id: "a", function: { name: "weather", arguments: "" } }),
          call(1, { id: "b", function: { name: "news", arguments: '{"n"' } }),
          call(0, { function: { arguments: '{"city":"Linz"}' } }),
          call(1, { function: { arguments: ":1}" } }),
          call(2, { id: "c", function: { name: "time" } }),
          call(3, { id: "d", function: { name: "bad", arguments: "{" } }),
          say({}, "tool_calls"),
        ],
        completely,
      ),
    );
    expect(errors).toEqual([]);
    expect(message.parts.slice(2)).toMatchObject([
      { type: "tool-weather", toolCallId: "a", state: "input-available", input: { city: "Linz" } },
      { type: "tool-news", toolCallId: "b", state: "input-available", input: { n: 1 } },
      { type: "tool-time", toolCallId: "c", state: "input-available", input: {} },
      { type: "tool-bad", toolCallId: "d", state: "output-error" },
    ]);
  });

  it("[L5] says how it failed, or that it was stopped, after what there was", async () => {
    const failed = await readAsClient(
      render([say({ content: "half" })], (dialect) =>
        dialect.error(new SluiceError("upstream_truncated")),
      ),
    );
    expect(failed.errors.join()).toContain("cut off before its end");
    expect(failed.message.parts).toMatchObject([
      { type: "step-start" },
      { type: "text", text: "half", state: "done" },
    ]);
    const stopped = render([say({ content: "half" })], (dialect) =>
      dialect.error(new SluiceError("generation_stopped")),
    );
    expect((await readAsClient(stopped)).errors).toEqual([]);
    expect(stopped).toContain('{"type":"abort"}');
    expect(stopped).toMatch(/data: \[DONE\]\n\n$/);
  });

  it.each([
    ["stop", "stop"],
    ["length", "length"],
    ["content_filter", "content-filter"],
    ["tool_calls", "tool-calls"],
    ["something_new", "other"],
  ])("[E1] names the reason %s as %s", (reason, name) => {
    expect(render([say({ content: "x" }, reason)], completely)).toContain(
      `"finishReason":"${name}"`,
    );
  });
});
