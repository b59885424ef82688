/**
 * Owns what real providers write, well and badly, as the bytes of their event streams. Refuses to
 * know who reads them.
 */
import { DONE, ROLE, STOP, USAGE, chunk, event } from "./openai-events.ts";

const hi = [ROLE, chunk({ content: "Hi" }), chunk({ content: " you" }), STOP];
const azureFirst = event({
  choices: [],
  created: 0,
  id: "",
  model: "",
  object: "",
  prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
});
const usage = { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 };
const bare = (delta: object, finish: string | null = null): string =>
  event({ choices: [{ index: 0, delta, finish_reason: finish }] });

export interface Expected {
  readonly reasoning?: string;
  readonly tokens?: number;
}

const well: readonly (readonly [string, string, Expected?])[] = [
  ["a plain answer", [...hi, DONE].join("")],
  ["a usage chunk", [...hi, USAGE, DONE].join(""), { tokens: 8 }],
  ["no [DONE]", hi.join("")],
  ["no [DONE] and no last blank line", hi.join("") + DONE.trimEnd()],
  ["[DONE] with trailing spaces", [...hi, "data: [DONE]  \n\n"].join("")],
  ["[DONE] without a space before it", [...hi, "data:[DONE]\n\n"].join("")],
  ["no finish_reason but [DONE]", [ROLE, chunk({ content: "Hi you" }), DONE].join("")],
  ["Azure's empty choices first", [azureFirst, ...hi, DONE].join("")],
  [
    "Azure's content filter last",
    [
      ...hi,
      event({
        choices: [
          { index: 0, finish_reason: null, content_filter_offsets: {}, content_filter_results: {} },
        ],
      }),
      DONE,
    ].join(""),
  ],
  [
    "OpenRouter's comments",
    [
      ": OPENROUTER PROCESSING\n\n",
      ...hi.flatMap((part) => [": OPENROUTER PROCESSING\n\n", part]),
      DONE,
    ].join(""),
  ],
  [
    "Groq's usage in x_groq",
    [
      event({ ...(JSON.parse(ROLE.slice(6)) as object), x_groq: { id: "req_1" } }),
      ...hi.slice(1, 3),
      event({ ...(JSON.parse(STOP.slice(6)) as object), x_groq: { usage } }),
      DONE,
    ].join(""),
  ],
  [
    "DeepSeek's reasoning_content",
    [
      chunk({ role: "assistant", content: null, reasoning_content: "" }),
      chunk({ content: null, reasoning_content: "Hm" }),
      chunk({ content: "Hi you", reasoning_content: null }),
      STOP,
      DONE,
    ].join(""),
    { reasoning: "Hm" },
  ],
  [
    "OpenRouter's reasoning",
    [ROLE, chunk({ content: "", reasoning: "Hm" }), ...hi.slice(1), DONE].join(""),
    { reasoning: "Hm" },
  ],
  [
    "Ollama and vLLM without ids",
    [bare({ role: "assistant" }), bare({ content: "Hi you" }), bare({}, "stop"), DONE].join(""),
  ],
  [
    "a null id",
    [
      event({
        id: null,
        choices: [{ index: 0, delta: { content: "Hi you" }, finish_reason: null }],
      }),
      STOP,
      DONE,
    ].join(""),
  ],
  [
    "no delta in the last choice",
    [...hi.slice(0, 3), event({ choices: [{ index: 0, finish_reason: "stop" }] }), DONE].join(""),
  ],
  [
    "a null delta in the last choice",
    [
      ...hi.slice(0, 3),
      event({ choices: [{ index: 0, delta: null, finish_reason: "stop" }] }),
      DONE,
    ].join(""),
  ],
  ["usage before the finish", [ROLE, USAGE, ...hi.slice(1), DONE].join(""), { tokens: 8 }],
  ["usage twice", [...hi.slice(0, 3), USAGE, STOP, USAGE, DONE].join(""), { tokens: 8 }],
  ["usage without choices", [...hi, event({ usage }), DONE].join(""), { tokens: 8 }],
  [
    "usage with choices null",
    [...hi, event({ choices: null, usage }), DONE].join(""),
    { tokens: 8 },
  ],
  [
    "usage: null everywhere",
    [
      ...hi.map((part) => event({ ...(JSON.parse(part.slice(6)) as object), usage: null })),
      DONE,
    ].join(""),
  ],
  [
    "error: null everywhere",
    [
      ...hi.map((part) => event({ ...(JSON.parse(part.slice(6)) as object), error: null })),
      DONE,
    ].join(""),
  ],
  ["an empty data field", [hi[0], "data:\n\n", hi[1], "data: \n\n", ...hi.slice(2), DONE].join("")],
  ["a name without data", ["event: ping\n\n", ...hi, "event: done\n\n", DONE].join("")],
  [
    "a ping with data",
    [...hi.slice(0, 1), "event: ping\ndata: {}\n\n", ...hi.slice(1), DONE].join(""),
  ],
  [
    "ids and retry",
    [...hi.map((part, at) => `id: ${at}\nretry: 5\n${part}`), "retry: 5\n\n", DONE].join(""),
  ],
  ["CRLF", [...hi, DONE].join("").replaceAll("\n", "\r\n")],
  ["CR", [...hi, DONE].join("").replaceAll("\n", "\r")],
  ["a byte order mark", `\u{feff}${[...hi, DONE].join("")}`],
  [
    "data over several lines",
    [
      ...hi.map((part) =>
        part.replace('{"id"', '{\ndata: "id"').replace(',"choices"', ',\ndata:"choices"'),
      ),
      DONE,
    ].join(""),
  ],
  ["text after [DONE]", [...hi, DONE, chunk({ content: "more" })].join("")],
  ["an error after the end", [...hi, DONE, event({ error: { message: "x" } })].join("")],
  ["an error after the finish reason", [...hi, event({ error: { message: "x" } })].join("")],
  [
    "line separators that are none",
    [ROLE, chunk({ content: "Hi\u2028 \u0085you" }), STOP, DONE].join(""),
  ],
];

/** What is said, and what clients must make of it besides the text. */
export const WELL: readonly (readonly [string, string, Expected])[] = well.map(
  ([name, bytes, expected = {}]) => [name, bytes, expected],
);

/** What comes after some text, and the code that it becomes. */
export const BADLY: readonly (readonly [string, string, string])[] = [
  [
    "OpenRouter's error in the stream",
    event({
      id: "gen-1",
      error: { code: 502, message: "x" },
      choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
    }),
    "upstream_unavailable",
  ],
  ["finish_reason error and [DONE]", chunk({}, "error") + event("[DONE]"), "upstream_unavailable"],
  [
    "an error in words of the provider's own",
    event({ detail: "SECRET sk-1" }) + event("[DONE]"),
    "upstream_unavailable",
  ],
  ["an error as text", event({ error: "overloaded" }), "upstream_unavailable"],
  [
    "an error object",
    event({ error: { message: "x", type: "server_error" } }),
    "upstream_unavailable",
  ],
  [
    "an error object with a status",
    event({ error: { message: "x", status: 429 } }),
    "upstream_rate_limited",
  ],
  [
    "an error with a status as text",
    event({ error: { message: "x", code: "429" } }),
    "upstream_rate_limited",
  ],
  [
    "a known code",
    event({ error: { message: "x", code: "context_length_exceeded" } }),
    "context_length_exceeded",
  ],
  ["an error event", `event: error\n${event({ message: "x" })}`, "upstream_unavailable"],
  ["an error event as text", `event: error\ndata: overloaded\n\n`, "upstream_bad_response"],
  [
    "an error that FastAPI wrote",
    event({ detail: "x", object: "error", message: "x", code: 500 }),
    "upstream_unavailable",
  ],
  ["an error: true", event({ error: true, message: "x" }), "upstream_unavailable"],
  ["no JSON", event("{"), "upstream_bad_response"],
  ["choices that are no list", event({ choices: {} }), "upstream_bad_response"],
  ["a choice that is no object", event({ choices: [null] }), "upstream_bad_response"],
  ["the end of the stream", "", "upstream_truncated"],
  ["an empty finish reason and the end of the stream", chunk({}, ""), "upstream_truncated"],
];
