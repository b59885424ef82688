/** Time: when a response is committed, what fills silence, and which limit ends what. */
import { expect, test } from "vitest";
import { ANSWER, DONE, ROLE, STOP, TEXT, chunk } from "../support/openai-events.ts";
import { note } from "../support/note.ts";
import { openRawClient, postRequest } from "../support/raw-client.ts";
import { until } from "../support/until.ts";
import { asSimpleAnswer, readEventStream } from "../support/read-answer.ts";
import { startUpstream } from "../support/scripted-upstream.ts";
import { startWorker } from "../support/start-worker.ts";
import {
  answersWell,
  keepsTalking,
  neverAnswers,
  stallsAfter,
} from "../support/upstream-scripts.ts";

const model = "test-model";
const messages = [{ role: "user", content: "Hello?" }];
/** A Worker and its provider: the tests run side by side, because they mostly wait. */
async function setUp(vars: Readonly<Record<string, string>>) {
  const upstream = await startUpstream();
  const worker = await startWorker({
    OPENAI_BASE_URL: upstream.baseURL,
    OPENAI_MODEL: model,
    ...vars,
  });
  return {
    upstream,
    port: worker.port,
    ask: (path = "/api/chat", stream = true): Promise<Response> =>
      fetch(`${worker.origin}${path}`, {
        method: "POST",
        body: JSON.stringify({ messages, stream }),
      }),
    nothingIsOpen: () => until("the provider's answers to end", () => upstream.openAnswers() === 0),
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

test.concurrent("[L5][S1] a provider that thinks for long: committed, kept alive, then a failure as an event", async () => {
  await using run = await setUp({ KEEPALIVE_MS: "50", FIRST_TOKEN_TIMEOUT_MS: "1500" });
  run.upstream.reply(neverAnswers);
  const paths = ["/api/chat", "/v1/chat/completions"];
  const answers = await Promise.all(paths.map((path) => run.ask(path)));
  for (const response of answers) {
    expect(response.status).toBe(200);
    const seen = await readEventStream(response);
    expect(seen.comments.length).toBeGreaterThan(3);
    expect(new Set(seen.comments)).toEqual(new Set(["keepalive"]));
    expect(seen.events).toHaveLength(1);
    expect(seen.text).toContain("upstream_timeout");
    expect(seen.text).not.toContain("[DONE]");
    expect(seen.broken).toBe(false);
  }
  await run.nothingIsOpen();
});

test.concurrent("[S1] silence in the middle is filled with comments, and the answer goes on", async () => {
  await using run = await setUp({ KEEPALIVE_MS: "20" });
  const { promise: enough, resolve: sawEnough } = Promise.withResolvers<void>();
  run.upstream.reply(async (wire) => {
    wire.head(200, { "content-type": "text/event-stream" });
    await wire.write(ANSWER.slice(0, 3).join(""));
    await enough;
    await wire.write(ANSWER.slice(3).join(""));
    wire.end();
  });
  const response = await run.ask();
  const [watched, read] = response.body?.tee() ?? [];
  const decoder = new TextDecoder();
  let comments = 0;
  const watching = (async () => {
    for await (const bytes of watched as AsyncIterable<Uint8Array>) {
      comments += decoder.decode(bytes).split(": keepalive").length - 1;
      if (comments >= 5) sawEnough();
    }
  })();
  const seen = await readEventStream(new Response(read ?? null));
  await watching;
  expect(asSimpleAnswer(seen)).toEqual({ content: TEXT, ends: ["[DONE]"] });
});

test.concurrent("[L5][L3] the total limit ends an answer that keeps talking", async () => {
  await using run = await setUp({ TOTAL_TIMEOUT_MS: "1500" });
  run.upstream.reply(keepsTalking(chunk({ content: "word " }), 20));
  const { content, ends } = asSimpleAnswer(await readEventStream(await run.ask()));
  expect(content).toMatch(/^(word )+$/);
  expect(ends).toEqual(["error upstream_timeout"]);
  await run.nothingIsOpen();
});

test.concurrent("[L5][L3] the total limit ends an answer that nobody reads", async () => {
  await using run = await setUp({ TOTAL_TIMEOUT_MS: "1500" });
  run.upstream.reply(keepsTalking(chunk({ content: "word ".repeat(2_000) }), 1));
  const response = await run.ask();
  await run.nothingIsOpen();
  await response.body?.cancel();
});

test.concurrent("[L5][L3] the total limit ends a whole answer, too", async () => {
  await using run = await setUp({ TOTAL_TIMEOUT_MS: "300" });
  run.upstream.reply(neverAnswers);
  const response = await run.ask("/v1/chat/completions", false);
  expect(response.status).toBe(504);
  expect(await response.json()).toMatchObject({ code: "upstream_timeout" });
  await run.nothingIsOpen();
});

test.concurrent.each(["end", "destroy"] as const)(
  "[L3][I7] the total limit ends a whole answer whose client has left quietly (%s), and frees its place",
  async (leave) => {
    await using run = await setUp({ TOTAL_TIMEOUT_MS: "1500", MAX_RUNNING_GENERATIONS: "1" });
    run.upstream.reply(neverAnswers);
    const bytes = postRequest("/v1/chat/completions", { model, messages });
    using client = await openRawClient(run.port, bytes);
    await until("the provider to be asked", () => run.upstream.openAnswers() === 1);
    const leftAt = performance.now();
    client.socket[leave]();
    expect((await run.ask("/v1/chat/completions", false)).status).toBe(429);
    await run.nothingIsOpen();
    note(`noticed after ${Math.round(performance.now() - leftAt)} ms`);
    run.upstream.reply(answersWell);
    await until("the place is free", async () => {
      const response = await run.ask("/v1/chat/completions", true);
      await response.body?.cancel();
      return response.status === 200;
    });
  },
);

test.concurrent("[L1] a provider that says its last word and stays connected does not keep the client waiting for long", async () => {
  await using run = await setUp({ IDLE_TIMEOUT_MS: "60000" });
  run.upstream.reply(stallsAfter([ROLE, chunk({ content: "ok" }), STOP]));
  const seen = asSimpleAnswer(await readEventStream(await run.ask()));
  expect(seen).toEqual({ content: "ok", ends: ["[DONE]"] });
  await run.nothingIsOpen();
});

test.concurrent.each([
  ["the finish reason", [ROLE, chunk({ content: "ok" }), STOP]],
  ["[DONE]", [ROLE, chunk({ content: "ok" }), STOP, DONE]],
])(
  "[L1][L3] a provider that goes on and on after %s does not keep its client waiting",
  async (_what, events) => {
    await using run = await setUp({});
    run.upstream.reply(async (wire, request) => {
      wire.head(200, { "content-type": "text/event-stream" });
      await wire.write(events.join(""));
      await keepsTalking(": still here\n\n", 5)({ ...wire, head: () => {} }, request);
    });
    const seen = asSimpleAnswer(await readEventStream(await run.ask()));
    expect(seen).toEqual({ content: "ok", ends: ["[DONE]"] });
    await run.nothingIsOpen();
  },
);

test.concurrent("[L1] the client has its end before the provider has closed", async () => {
  await using run = await setUp({});
  run.upstream.reply(stallsAfter(ANSWER));
  const seen = asSimpleAnswer(await readEventStream(await run.ask()));
  expect(seen).toEqual({ content: TEXT, ends: ["[DONE]"] });
  await run.nothingIsOpen();
});

test.concurrent("[S1] the provider's comments are a sign of life, not of an answer", async () => {
  await using run = await setUp({ FIRST_TOKEN_TIMEOUT_MS: "400" });
  run.upstream.reply(keepsTalking(": OPENROUTER PROCESSING\n\n", 50));
  const response = await run.ask();
  expect(response.status).toBe(504);
  await run.nothingIsOpen();
});

test.concurrent("[L5] comments are no tokens: a provider that only comments is given up", async () => {
  await using run = await setUp({ IDLE_TIMEOUT_MS: "1000" });
  run.upstream.reply(async (wire) => {
    wire.head(200, { "content-type": "text/event-stream" });
    await wire.write(ROLE + chunk({ content: "a" }));
    while (await wire.write(": thinking\n\n")) {
      const { promise, resolve } = Promise.withResolvers<void>();
      setTimeout(resolve, 100);
      await promise;
    }
  });
  const seen = asSimpleAnswer(await readEventStream(await run.ask()));
  expect(seen).toEqual({ content: "a", ends: ["error upstream_timeout"] });
});
