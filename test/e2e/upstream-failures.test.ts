/**
 * Everything a provider can do wrong: what an OpenAI client and a client of the simple format see,
 * and that nothing stays open afterwards.
 */
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ANSWER,
  ROLE,
  STOP,
  TEXT,
  WHOLE_ANSWER,
  WORDS,
  chunk,
  event,
} from "../support/openai-events.ts";
import { until } from "../support/until.ts";
import { asSimpleAnswer, readEventStream } from "../support/read-answer.ts";
import { type Script, type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import {
  answersWell,
  diesBeforeHeaders,
  neverAnswers,
  neverEnds,
  plays,
  refuses,
  splitsEveryByte,
  stallsAfter,
} from "../support/upstream-scripts.ts";

const messages = [{ role: "user" as const, content: "Hello?" }];
const model = "test-model";
/** Long enough for what is not silent on a busy machine, and twice of it over before an answer begins unknown. */
const FIRST_TOKEN_MS = 700;
const IDLE_MS = 3_000;
const MAX_OUTPUT_BYTES = 100_000;
const scripts = new Map<unknown, Script>();
let upstream: ScriptedUpstream;
let worker: RunningWorker;
let client: OpenAI;

beforeAll(async () => {
  upstream = await startUpstream((wire, request) =>
    scripts.get(request.body["user"])?.(wire, request),
  );
  worker = await startWorker({
    OPENAI_BASE_URL: upstream.baseURL,
    OPENAI_API_KEY: "sk-upstream",
    OPENAI_MODEL: model,
    FIRST_TOKEN_TIMEOUT_MS: String(FIRST_TOKEN_MS),
    IDLE_TIMEOUT_MS: String(IDLE_MS),
    MAX_OUTPUT_BYTES: String(MAX_OUTPUT_BYTES),
  });
  client = new OpenAI({ baseURL: `${worker.origin}/v1`, apiKey: "anything", maxRetries: 0 });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** What both clients make of one behaviour. */
interface Seen {
  /** Text before the end, `"[DONE]"` or the error's code, and the HTTP status. */
  readonly openai: readonly [text: string, end: string, status: number];
  readonly simple: readonly [text: string, end: string, status: number];
}

async function askBoth(script: Script): Promise<Seen> {
  const name = enact(script);
  const [openai, simple] = await Promise.all([askOpenAI(name), askSimple(name)]);
  await nothingIsOpen(name);
  return { openai, simple };
}

/** Requests that carry this name as a field, which Sluice passes on, are answered by the script. */
function enact(script: Script): string {
  const name = `behaviour ${scripts.size}`;
  scripts.set(name, script);
  return name;
}

async function nothingIsOpen(name: string): Promise<void> {
  const own = upstream.exchanges.filter(({ body }) => body["user"] === name);
  expect(own.length).toBeGreaterThan(0);
  await until("every answer to be over", () => own.every(({ isOver }) => isOver()));
}

async function askOpenAI(user: string): Promise<Seen["openai"]> {
  let text = "";
  try {
    const stream = await client.chat.completions.create({ model, messages, user, stream: true });
    for await (const part of stream) text += part.choices[0]?.delta.content ?? "";
    return [text, "[DONE]", 200];
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    return [text, String(error.code), Number(error.status ?? 200)];
  }
}

async function askSimple(user: string): Promise<Seen["simple"]> {
  const response = await fetch(`${worker.origin}/api/chat`, {
    method: "POST",
    body: JSON.stringify({ messages, user }),
  });
  if (!response.ok) {
    const { code } = await response.json<{ readonly code: string }>();
    return ["", code, response.status];
  }
  const { content, ends } = asSimpleAnswer(await readEventStream(response));
  expect(ends).toHaveLength(1);
  return [content, String(ends[0]), response.status];
}

const half = [ROLE, chunk({ content: "half" })];
const html = "<!doctype html><title>Gateway</title><p>sign in</p>";
const boom = { error: { message: "boom", type: "server_error", code: null, param: null } };
const unavailable = ["", "upstream_unavailable", 502] as const;
const noAnswer = ["", "upstream_bad_response", 502] as const;

/** Behaviour, and what follows from it before anything was shown. */
const whole: readonly (readonly [string, Script, readonly [string, string, number]])[] = [
  ["closes before its headers", diesBeforeHeaders("cut"), unavailable],
  ["resets before its headers", diesBeforeHeaders("reset"), unavailable],
  ["ends after its headers", plays([], "end"), noAnswer],
  ["closes after its headers", plays([], "cut"), unavailable],
  ["resets after its headers", plays([], "reset"), unavailable],
  ["never answers", neverAnswers, ["", "upstream_timeout", 504]],
  ["is silent after its headers", stallsAfter([]), ["", "upstream_timeout", 504]],
  ["sends comments only", stallsAfter([": thinking\n\n"]), ["", "upstream_timeout", 504]],
  ["answers 400", refuses(400, boom), ["", "upstream_rejected", 400]],
  ["answers 401", refuses(401, boom), ["", "upstream_auth", 502]],
  ["answers 404", refuses(404, boom), ["", "upstream_rejected", 400]],
  ["answers 500", refuses(500, boom), unavailable],
  ["answers 503 in HTML", refuses(503, html), unavailable],
  ["answers 200 in HTML", refuses(200, html), noAnswer],
  ["answers 200 with a JSON error", refuses(200, boom), unavailable],
  ["answers 200 with a JSON error as text", refuses(200, { error: "overloaded" }), unavailable],
  ["answers 200 with JSON that is no error", refuses(200, { ok: true }), noAnswer],
  [
    "answers 200 with broken JSON",
    refuses(200, "{", { "content-type": "application/json" }),
    noAnswer,
  ],
  ["answers 204", refuses(204, ""), noAnswer],
  ["redirects", refuses(302, "", { location: "http://127.0.0.1:9/elsewhere" }), unavailable],
  ["sends an event that is no JSON", plays(["data: hello\n\n"]), noAnswer],
  ["sends an event that is a JSON string", plays(['data: "hello"\n\n']), noAnswer],
];

test.concurrent.each(whole)(
  "[L5][I7] a provider that %s is an HTTP error",
  async (_name, script, expected) => {
    expect(await askBoth(script)).toEqual({ openai: expected, simple: [...expected] });
  },
);

/** Behaviour after some text, the text that was shown, and the code that ends it. */
const broken: readonly (readonly [string, Script, string, string])[] = [
  ["stalls", stallsAfter(half), "half", "upstream_timeout"],
  ["reports an error", plays([...half, event(boom)]), "half", "upstream_unavailable"],
  [
    "reports an error as text",
    plays([...half, event({ error: "x" })]),
    "half",
    "upstream_unavailable",
  ],
  [
    "names an event error",
    plays([...half, `event: error\n${event({ message: "x" })}`]),
    "half",
    "upstream_unavailable",
  ],
  [
    "reports 429",
    plays([...half, event({ error: { code: 429 } })]),
    "half",
    "upstream_rate_limited",
  ],
  ["sends no JSON", plays([...half, event("{")]), "half", "upstream_bad_response"],
  [
    "stops in the middle of an event",
    plays([...half, chunk({ content: "x" }).slice(0, 40)]),
    "half",
    "upstream_truncated",
  ],
];

test.concurrent.each(broken)(
  "[L5][I7] a provider that %s after some text is an error event",
  async (_name, script, text, code) => {
    expect(await askBoth(script)).toEqual({
      openai: [text, code, 200],
      simple: [text, `error ${code}`, 200],
    });
  },
);

test("[L5][B1] an answer that never ends is cut at the operator's limit, and says so", async () => {
  const word = "word ";
  const { openai, simple } = await askBoth(neverEnds(chunk({ content: word })));
  expect(openai.slice(1)).toEqual(["output_limit", 200]);
  expect(simple.slice(1)).toEqual(["error output_limit", 200]);
  for (const [text] of [openai, simple]) {
    expect(text.length).toBeGreaterThan(0);
    expect(text.length / word.length).toBeLessThanOrEqual(
      MAX_OUTPUT_BYTES / chunk({ content: word }).length,
    );
  }
});

test("[S2][L1] bytes that arrive one by one give the same answer", async () => {
  const complete = { openai: [TEXT, "[DONE]", 200], simple: [TEXT, "[DONE]", 200] };
  expect(await askBoth(splitsEveryByte(ANSWER))).toEqual(complete);
});

for (const ending of ["end", "cut"] as const) {
  for (const [last] of ANSWER.entries()) {
    test.concurrent(`[L5] ${ending} after event ${last} is an end only when the provider had said so`, async () => {
      const sent = ANSWER.slice(0, last + 1);
      const { openai, simple } = await askBoth(plays(sent, ending));
      if (sent.includes(STOP)) {
        expect(openai).toEqual([TEXT, "[DONE]", 200]);
        expect(simple).toEqual([TEXT, "[DONE]", 200]);
        return;
      }
      const code = ending === "end" ? "upstream_truncated" : "upstream_unavailable";
      const text = WORDS.slice(0, last).join("");
      expect(openai).toEqual([text, code, 200]);
      expect(simple).toEqual([text, `error ${code}`, 200]);
    });
  }
}

test("[L5] a reset in the middle of the text is an error, one after the finish reason is nothing", async () => {
  for (const [last] of ANSWER.entries()) {
    if (last === 0) continue;
    const { promise: seen, resolve: saw } = Promise.withResolvers<void>();
    const user = enact(async (wire) => {
      wire.head(200, { "content-type": "text/event-stream" });
      for (const event of ANSWER.slice(0, last + 1)) await wire.write(event);
      // A reset overtakes what is still on its way.
      await seen;
      wire.reset();
    });
    const stream = await client.chat.completions.create({ model, messages, user, stream: true });
    const awaited = last <= WORDS.length ? WORDS[last - 1] : undefined;
    const reading = (async () => {
      for await (const { choices } of stream) {
        const { delta, finish_reason: reason } = choices[0] ?? {};
        if (awaited === undefined ? reason === "stop" : delta?.content === awaited) saw();
      }
    })();
    if (awaited === undefined) await reading;
    else await expect(reading).rejects.toMatchObject({ code: "upstream_unavailable" });
  }
});

const wholeJson = JSON.stringify(WHOLE_ANSWER);
const json = { "content-type": "application/json" };
const badWholes: readonly (readonly [string, Script, number, string])[] = [
  ["closes before its headers", diesBeforeHeaders("cut"), 502, "upstream_unavailable"],
  [
    "stops in the middle of the JSON",
    refuses(200, wholeJson.slice(0, -9), json),
    502,
    "upstream_bad_response",
  ],
  [
    "closes in the middle of the JSON",
    sendsAndCuts(wholeJson.slice(0, -9)),
    502,
    "upstream_unavailable",
  ],
  ["answers in HTML", refuses(200, html), 502, "upstream_bad_response"],
  ["answers with a JSON error", refuses(200, boom), 502, "upstream_unavailable"],
  ["answers with an empty body", refuses(200, "", json), 502, "upstream_bad_response"],
  ["streams although nobody asked for it", plays(ANSWER), 502, "upstream_bad_response"],
  ["never ends", neverEnds("x".repeat(10_000)), 502, "output_limit"],
  ["answers 422", refuses(422, boom), 400, "upstream_rejected"],
];

test.concurrent.each(badWholes)(
  "[L5][I7] asked for a whole answer, a provider that %s is an HTTP error",
  async (_name, script, status, code) => {
    const user = enact(script);
    const asking = client.chat.completions.create({ model, messages, user });
    await expect(asking).rejects.toMatchObject({ status, code });
    await nothingIsOpen(user);
  },
);

function sendsAndCuts(text: string): Script {
  return async (wire) => {
    wire.head(200, json);
    await wire.write(text);
    wire.cut();
  };
}

test("[L5][B1] an event that is too large to be one is refused before it fills the memory", async () => {
  await using roomy = await startWorker({ OPENAI_BASE_URL: upstream.baseURL, OPENAI_MODEL: model });
  const user = enact(neverEnds(`data: ${"x".repeat(100_000)}\n`));
  const response = await fetch(`${roomy.origin}/api/chat`, {
    method: "POST",
    body: JSON.stringify({ messages, user }),
  });
  expect([response.status, await response.json()]).toEqual([
    502,
    expect.objectContaining({ code: "upstream_bad_response" }),
  ]);
  await nothingIsOpen(user);
});

test("[I7] after all that the Worker still answers", async () => {
  const complete = { openai: [TEXT, "[DONE]", 200], simple: [TEXT, "[DONE]", 200] };
  expect(await askBoth(answersWell)).toEqual(complete);
});
