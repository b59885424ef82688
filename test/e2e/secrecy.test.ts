/** What a provider blurts out goes no further. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { ROLE, chunk, event } from "../support/openai-events.ts";
import { until } from "../support/until.ts";
import { type Script, type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { diesBeforeHeaders, plays, refuses } from "../support/upstream-scripts.ts";

const KEY = "sk-secret-0123456789abcdef";
const PROMPT = "my-prompt-about-my-illness";
const STACK = "TypeError: boom at handler (/srv/provider/internal.js:12:34)";
const HOST = "gpu-17.internal.example";
const SECRETS = [KEY, PROMPT, STACK, HOST, "internal.js"];
const leak = {
  error: {
    message: `${STACK} key=${KEY} prompt=${PROMPT} host=${HOST}`,
    type: `type-${KEY}`,
    code: `code-${KEY}`,
    param: PROMPT,
    stack: STACK,
  },
  detail: STACK,
};
const headers = {
  "x-request-id": KEY,
  "x-debug": STACK,
  "retry-after": KEY,
  "set-cookie": `k=${KEY}`,
};

let upstream: ScriptedUpstream;
let worker: RunningWorker;

beforeAll(async () => {
  // A field that Sluice does not know reaches the provider, who behaves as it says.
  const scripts = new Map<unknown, Script>(failures);
  upstream = await startUpstream((wire, request) =>
    scripts.get(request.body["behaviour"])?.(wire, request),
  );
  worker = await startWorker({
    OPENAI_BASE_URL: upstream.baseURL,
    OPENAI_API_KEY: KEY,
    OPENAI_MODEL: "test-model",
    LLM_FALLBACKS: JSON.stringify([{ baseURL: upstream.baseURL, apiKey: `${KEY}-2` }]),
  });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function expectSilence(path: string, stream: boolean, behaviour = ""): Promise<void> {
  const response = await fetch(`${worker.origin}${path}`, {
    method: "POST",
    body: JSON.stringify({ stream, behaviour, messages: [{ role: "user", content: PROMPT }] }),
  });
  const seen = `${JSON.stringify([...response.headers])}\n${await response.text()}`;
  expect(seen).toMatch(/upstream_|"code"/);
  for (const secret of SECRETS) expect(seen).not.toContain(secret);
}

const failures: readonly (readonly [string, Script])[] = [
  ...[400, 401, 403, 404, 413, 422, 429, 500, 503].map(
    (status) => [`status ${status}`, refuses(status, leak, headers)] as const,
  ),
  ["a page", refuses(502, `<pre>${leak.error.message}</pre>`, headers)],
  ["a page with status 200", refuses(200, `<pre>${leak.error.message}</pre>`, headers)],
  ["a JSON error with status 200", refuses(200, leak, headers)],
  ["a redirect", refuses(307, leak, { ...headers, location: `http://${HOST}/${KEY}` })],
  ["a closed connection", diesBeforeHeaders()],
  ["an error event first", plays([event(leak)])],
  ["an error event later", plays([ROLE, chunk({ content: "half" }), event(leak)])],
  [
    "an error event as text",
    plays([ROLE, chunk({ content: "half" }), event({ error: leak.error.message })]),
  ],
  ["a named error event", plays([ROLE, `event: error\n${event(leak.error)}`])],
  [
    "an event that is no JSON",
    plays([ROLE, chunk({ content: "half" }), event(leak.error.message)]),
  ],
  ["a broken end", plays([ROLE, chunk({ content: "half" })], "cut")],
];

test.concurrent.each(failures)(
  "[I9][E2] %s gives away no key, prompt, stack or host",
  async (name) => {
    await Promise.all([
      expectSilence("/api/chat", true, name),
      expectSilence("/v1/chat/completions", true, name),
      // Scripts that stream are bad answers to a request for a whole one, and just as discreet.
      expectSilence("/v1/chat/completions", false, name),
    ]);
  },
);

test("[I9][E2] nor does the log, which holds a line for each failure", async () => {
  await expectSilence("/v1/chat/completions", true, "status 500");
  await until("a line in the log", () =>
    worker.logs.some((line) => line.includes("upstream_unavailable")),
  );
  const log = worker.logs.join("\n");
  for (const secret of SECRETS) expect(log).not.toContain(secret);
});

test("[I9][L5] a provider that cannot be reached is named by host and class of failure, no more", async () => {
  await using lost = await startWorker({ OPENAI_BASE_URL: `http://127.0.0.1:9/${KEY}/v1` });
  for (const store of [false, true]) {
    const response = await fetch(`${lost.origin}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ stream: true, store, messages: [{ role: "user", content: PROMPT }] }),
    });
    expect(response.status).toBe(502);
    await response.text();
  }
  const attempts = (): readonly string[] => lost.logs.filter((line) => line.includes('"cause"'));
  await until("two lines for each, for each is tried twice", () => attempts().length === 4);
  for (const line of attempts()) {
    expect(line).toContain('"host":"127.0.0.1:9"');
    expect(line).toMatch(/"cause":"[A-Za-z]*Error( < [A-Za-z]*Error)*"/);
  }
  expect(attempts().filter((line) => line.includes('"generation":"gen_')).length).toBe(2);
  for (const secret of SECRETS) expect(lost.logs.join("\n")).not.toContain(secret);
});

test("[I9] mistakes in the configuration name the variable and not its value", async () => {
  await using broken = await startWorker({ OPENAI_BASE_URL: `not a url ${KEY}` });
  const response = await fetch(`${broken.origin}/healthz`);
  expect(response.status).toBe(503);
  const text = await response.text();
  expect(text).toContain("OPENAI_BASE_URL");
  expect(text).not.toContain(KEY);
});

test.each([
  ["LLM_FALLBACKS", `[{"baseURL": "${KEY}"}]`],
  ["LLM_FALLBACKS", `{"apiKey": "${KEY}"`],
  ["LLM_FALLBACKS", `[{"baseURL": "http://127.0.0.1/", "${KEY}": 1}]`],
  ["AUTH_SECRET", "short"],
  ["MAX_TOKENS", KEY],
])("[I9][E2] a bad %s is not repeated", async (name, value) => {
  await using broken = await startWorker({ [name]: value });
  const response = await fetch(`${broken.origin}/healthz`);
  expect(response.status).toBe(503);
  const text = await response.text();
  expect(text).toContain(name);
  expect(text).not.toContain(KEY);
  expect(broken.logs.join("\n")).not.toContain(KEY);
});
