import { describe, expect, it } from "vitest";
import { Assembly } from "../../../src/llm/assemble.ts";
import { parseEnding } from "../../../src/llm/ending.ts";
import { Tally } from "../../../src/llm/tally.ts";

const COMMON = { id: "gen_1", created: 7, model: "m", object: "chat.completion.chunk" };
const say = (delta: object, finish: string | null = null, rest: object = {}) => ({
  ...COMMON,
  choices: [{ index: 0, delta, finish_reason: finish, ...rest }],
});

describe("[L1] a whole answer from its chunks", () => {
  it("[L1] is what the provider would have given at once", () => {
    const assembly = new Assembly();
    const call = (index: number, part: object) => say({ tool_calls: [{ index, ...part }] });
    for (const chunk of [
      say({ role: "assistant", content: "" }),
      say({ reasoning: "Hm" }),
      say({ content: "Grü" }, null, { logprobs: { content: [{ token: "Grü" }] } }),
      say({ content: "ße" }, null, { logprobs: { content: [{ token: "ße" }] } }),
      call(1, { id: "b", type: "function", function: { name: "news", arguments: "{" } }),
      call(0, { id: "a", type: "function", function: { name: "weather", arguments: "" } }),
      call(1, { function: { arguments: "}" } }),
      say({}, "tool_calls"),
      { ...COMMON, system_fingerprint: "fp", choices: [] },
    ]) {
      assembly.add(chunk);
    }
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    expect(assembly.finish(usage)).toEqual({
      id: "gen_1",
      created: 7,
      model: "m",
      system_fingerprint: "fp",
      object: "chat.completion",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "Grüße",
            refusal: null,
            reasoning: "Hm",
            tool_calls: [
              { id: "a", type: "function", function: { name: "weather", arguments: "" } },
              { id: "b", type: "function", function: { name: "news", arguments: "{}" } },
            ],
          },
          finish_reason: "tool_calls",
          logprobs: { content: [{ token: "Grü" }, { token: "ße" }] },
        },
      ],
      usage,
    });
  });

  it("[L1] has no content but calls when there was none, and an empty one when there was nothing", () => {
    const calls = new Assembly();
    calls.add(say({ tool_calls: [{ id: "a", function: { name: "f", arguments: "{}" } }] }));
    expect(calls.finish(null)).toMatchObject({ choices: [{ message: { content: null } }] });
    expect(new Assembly().finish(null)).toMatchObject({
      choices: [{ message: { role: "assistant", content: "" }, finish_reason: null }],
    });
  });
});

describe("[L1] what an answer cost", () => {
  it("[L1] is what the provider says, the last time it says so, wherever it says it", () => {
    const tally = new Tally();
    const first = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    tally.add({ ...say({ content: "x".repeat(400) }), usage: first });
    expect(tally.settle(0)).toEqual(first);
    const groq = { prompt_tokens: 3, completion_tokens: 4 };
    const last = { ...say({}, "stop"), x_groq: { usage: groq }, usage: null };
    tally.add(last);
    expect(tally.settle(0)).toEqual({ ...groq, total_tokens: 7 });
    expect(tally.finishReason).toBe("stop");
  });

  it.each([-1_000_000, 0.5, Infinity, 2 ** 60])(
    "[L1][E2] is never what cannot be counted, whatever the provider says: %d",
    (odd) => {
      for (const field of ["prompt_tokens", "completion_tokens"]) {
        const tally = new Tally();
        const said = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
        tally.add({ ...say({ content: "abcd" }), usage: { ...said, [field]: odd } });
        expect(tally.settle(4)).toMatchObject({ total_tokens: 2, estimated: true });
      }
      const tally = new Tally();
      const said = { prompt_tokens: 3, completion_tokens: 4, total_tokens: odd };
      tally.add({ ...say({ content: "abcd" }), usage: said });
      expect(tally.settle(4)).toEqual({ ...said, total_tokens: 7 });
    },
  );

  it("[L1] is estimated, and says so, when the provider does not", () => {
    const tally = new Tally();
    tally.add(say({ content: "x".repeat(9), reasoning_content: "y" }));
    tally.add(say({ tool_calls: [{ index: 0, function: { name: "f", arguments: "zz" } }] }));
    expect(tally.settle(10)).toEqual({
      prompt_tokens: 3,
      completion_tokens: 3,
      total_tokens: 6,
      estimated: true,
    });
  });
});

describe("[B2] the model that answers", () => {
  it("[B2] is what the provider says last, and no longer than what is kept of it", () => {
    const tally = new Tally();
    expect(tally.model).toBeUndefined();
    for (const model of ["router", 7, "", "m".repeat(1_000)]) tally.add({ choices: [], model });
    tally.add({ choices: [] });
    expect(tally.model).toBe("m".repeat(256));
  });

  it("[B2] is in no end that was written before it was kept", () => {
    const ending = {
      error: null,
      finishReason: "stop",
      usage: null,
      firstChunkMs: 1,
      durationMs: 2,
    };
    expect(parseEnding(JSON.stringify(ending))).toEqual({ ...ending, model: null });
  });
});
