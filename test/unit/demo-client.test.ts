import OpenAI, { APIError } from "openai";
import { describe, expect, test } from "vitest";
import { createDemoFetch } from "../../src/llm/demo/fetch.ts";
import { during } from "../support/demo.ts";
import { FakeClock } from "../support/fake-clock.ts";

describe("demo upstream behind the openai client", () => {
  const client = (clock: FakeClock) =>
    new OpenAI({
      apiKey: "none",
      baseURL: "https://demo.invalid/v1",
      maxRetries: 0,
      fetch: createDemoFetch(clock),
    });

  test("[E1][L1] streams the answer that it gives whole", async () => {
    const clock = new FakeClock();
    const params = {
      model: "m",
      messages: [{ role: "user", content: "What does sleeping cost?" }],
    } as const satisfies OpenAI.ChatCompletionCreateParams;
    const whole = await during(
      clock,
      client(clock).chat.completions.create({ ...params, messages: [...params.messages] }),
    );
    const streamed = await during(
      clock,
      (async () => {
        let text = "";
        const stream = await client(clock).chat.completions.create({
          ...params,
          messages: [...params.messages],
          stream: true,
        });
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
        return text;
      })(),
    );
    expect(streamed).toMatch(/💤/u);
    expect(whole.choices[0]?.message.content).toBe(streamed);
    expect(whole.choices[0]?.finish_reason).toBe("stop");
    expect(whole.usage?.completion_tokens).toBeGreaterThan(20);
  });

  test("[E1][L5] a failure in the middle is an APIError", async () => {
    const clock = new FakeClock();
    const reading = (async () => {
      const stream = await client(clock).chat.completions.create({
        model: "demo-fail-after",
        messages: [{ role: "user", content: "x" }],
        stream: true,
      });
      for await (const _ of stream);
    })();
    await expect(during(clock, reading)).rejects.toBeInstanceOf(APIError);
  });

  const tool = {
    type: "function",
    function: {
      name: "weather",
      parameters: {
        type: "object",
        properties: {
          city: { type: "string" },
          unit: { enum: ["°C", "°F"] },
          days: { type: "integer", minimum: 3 },
          at: { type: "string", format: "date" },
          places: { type: "array", items: { $ref: "#/$defs/place" } },
        },
        $defs: { place: { type: "object", properties: { inner: { $ref: "#/$defs/place" } } } },
      },
    },
  } as const satisfies OpenAI.ChatCompletionTool;

  test("[E1][L1] demo-tools calls the first tool, its arguments in several pieces", async () => {
    const clock = new FakeClock();
    const client_ = client(clock);
    const stream = client_.chat.completions.stream({
      model: "demo-tools",
      messages: [{ role: "user", content: "Weather?" }],
      tools: [structuredClone(tool) as OpenAI.ChatCompletionTool],
    });
    let pieces = 0;
    stream.on("tool_calls.function.arguments.delta", () => {
      pieces += 1;
    });
    const { choices } = await during(clock, stream.finalChatCompletion());
    const [call] = choices[0]?.message.tool_calls ?? [];
    if (call?.type !== "function") throw new Error("no tool call");
    expect(choices[0]?.finish_reason).toBe("tool_calls");
    expect(call.function.name).toBe("weather");
    expect(pieces).toBeGreaterThan(3);
    expect(JSON.parse(call.function.arguments)).toMatchObject({
      city: "example city",
      unit: "°C",
      days: 3,
      at: "2026-01-31",
      places: [{ inner: {} }],
    });

    const answer = await during(
      clock,
      client_.chat.completions.create({
        model: "demo-tools",
        messages: [
          { role: "user", content: "Weather?" },
          { role: "assistant", tool_calls: [call] },
          { role: "tool", tool_call_id: call.id, content: "17 °C" },
        ],
        tools: [structuredClone(tool) as OpenAI.ChatCompletionTool],
      }),
    );
    expect(answer.choices[0]?.message.content).toContain("`17 °C`");
  });

  test("[L1] demo-tools without tools says so", async () => {
    const clock = new FakeClock();
    const answer = await during(
      clock,
      client(clock).chat.completions.create({
        model: "demo-tools",
        messages: [{ role: "user", content: "Weather?" }],
      }),
    );
    expect(answer.choices[0]?.message.content).toContain("offered none");
  });
});
