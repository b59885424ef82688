/** Owns the events of an OpenAI-like answer, as a provider would write them. Refuses to know how they are sent. */

const COMMON = {
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1_700_000_000,
  model: "test-model",
};

/** One event of the stream. */
export function event(value: unknown): string {
  return `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
}

/** A chunk with one choice. */
export function chunk(delta: unknown, finish: string | null = null): string {
  return event({ ...COMMON, choices: [{ index: 0, delta, finish_reason: finish }] });
}

export const ROLE = chunk({ role: "assistant", content: "" });
export const STOP = chunk({}, "stop");
export const USAGE = event({
  ...COMMON,
  choices: [],
  usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
});
export const DONE = event("[DONE]");

/** Words that take two, three and four bytes in UTF-8, so that a split byte can hurt. */
export const WORDS = ["Grüße", " aus", " 東京", " – ", "🚰", "."] as const;
export const TEXT = WORDS.join("");

/** A short complete answer that says {@link TEXT}. */
export const ANSWER: readonly string[] = [
  ROLE,
  ...WORDS.map((content) => chunk({ content })),
  STOP,
  USAGE,
  DONE,
];

/** An answer that asks for one tool call, its arguments in pieces. */
export const TOOL_CALL: readonly string[] = [
  ROLE,
  chunk({
    tool_calls: [
      { index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: "" } },
    ],
  }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '"Linz"}' } }] }),
  chunk({}, "tool_calls"),
  DONE,
];

/** The same answer for a request that does not stream. */
export const WHOLE_ANSWER = {
  ...COMMON,
  object: "chat.completion",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: TEXT, refusal: null },
      finish_reason: "stop",
      logprobs: null,
    },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
};
