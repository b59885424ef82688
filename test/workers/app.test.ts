/** The app inside the runtime that it is deployed to, with nothing between it and the test. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { selectUpstreams } from "../../src/llm/select-upstreams.ts";
import { type Clock, systemClock } from "../../src/stream/clock.ts";
import { makeApp } from "../support/make-app.ts";
import { asSimpleAnswer, readEventStream } from "../support/read-answer.ts";

const PATIENCE = { timeout: 10_000, interval: 5 };
const ORIGIN = "http://localhost";
/** An answer that is written for this reader alone, and one that is read from where it is stored. */
const DIRECT = "/v1/chat/completions";
const STORED = "/api/chat";
const ask = (path: string, model: string, signal?: AbortSignal): Request =>
  new Request(`${ORIGIN}${path}`, {
    method: "POST",
    // Else a stored answer that never ends would outlive the test.
    headers: { "sluice-when-abandoned": "cancel" },
    body: JSON.stringify({
      model,
      stream: true,
      messages: [{ role: "user", content: "What is Sluice?" }],
    }),
    ...(signal === undefined ? {} : { signal }),
  });

describe("[E1] the Worker as it is deployed", () => {
  it("[E1] is healthy without any setting, and answers from its demo", async () => {
    const response = await exports.default.fetch(`${ORIGIN}/healthz`);
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: "ok", upstream: "demo" },
    ]);
  });

  it("[L2] streams an answer end to end", async () => {
    const response = await exports.default.fetch(ask(STORED, "demo"));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream\b/);
    const { content, ends } = asSimpleAnswer(await readEventStream(response));
    expect(content).toContain("Sluice");
    expect(ends).toEqual(["[DONE]"]);
  });

  it.each([
    ["text/event-stream", true],
    ["application/json;q=0.5, Text/Event-Stream;q=0.1", true],
    ["application/json, text/event-stream;q=0", false],
    ["text/event-stream-of-mine", false],
    ["*/*", false],
  ])("[L2][E1] gives the events of who accepts %s ids: %s", async (accept, hasIds) => {
    const request = ask(STORED, "demo-tools");
    request.headers.set("accept", accept);
    const text = await (await exports.default.fetch(request)).text();
    expect([text.includes("data: [DONE]"), /^id: /m.test(text)]).toEqual([true, hasIds]);
  });

  it("[L5] ends a truncated answer with an error", async () => {
    const response = await exports.default.fetch(ask(STORED, "demo-truncated"));
    const { ends } = asSimpleAnswer(await readEventStream(response));
    expect(ends).toEqual(["error upstream_truncated"]);
  });

  it("[E2] serves its page, and no other host", async () => {
    const page = await exports.default.fetch(`${ORIGIN}/`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("<title>")]);
    const response = await exports.default.fetch("http://sluice.example/healthz");
    expect(response.status).toBe(503);
  });
});

describe("[E2] a configuration that is refused", () => {
  it("[E2][I9] is told to the log with the variable's name, and never its value", async () => {
    const lines: string[] = [];
    const app = makeApp({ log: (line) => lines.push(JSON.stringify(line)) });
    const response = await app.request(`${ORIGIN}/healthz`, {}, { ...env, AUTH_SECRET: "hunter2" });
    expect(response.status).toBe(503);
    expect(lines).toEqual([expect.stringContaining("The variable AUTH_SECRET is not valid")]);
    expect(lines[0]).toMatch(/^\{"level":"error","code":"misconfigured"/);
    expect(lines[0]).not.toContain("hunter2");
  });

  it("[E2] is refused for every address, also where only objects read it", async () => {
    const broken = { ...env, ROOM_CLASSES: "nonsense" };
    for (const path of ["/", "/healthz", "/api/chat", "/v1/topics/t", "/v1/rooms/r/messages"]) {
      const response = await makeApp().request(`${ORIGIN}${path}`, {}, broken);
      expect([path, response.status]).toEqual([path, 503]);
      expect(await response.json()).toMatchObject({
        detail: "The variable ROOM_CLASSES is not valid: expected JSON.",
      });
    }
  });
});

/** The app on a clock that knows which timers are armed: whoever reads an answer always has some. */
function watchApp() {
  const armed = new Set<object>();
  const clock: Clock = {
    now: () => systemClock.now(),
    after(ms, task) {
      const timer = {};
      armed.add(timer);
      const disarm = systemClock.after(ms, () => {
        armed.delete(timer);
        task();
      });
      return () => {
        armed.delete(timer);
        disarm();
      };
    },
  };
  const app = makeApp({
    clock,
    newId: () => crypto.randomUUID(),
    upstreams: () => selectUpstreams([], clock),
  });
  return { armed, app };
}

describe.each([DIRECT, STORED])("[I7][L3] a reader who leaves %s leaves nothing behind", (path) => {
  const openEndless = async (signal?: AbortSignal) => {
    const { armed, app } = watchApp();
    const context = createExecutionContext();
    const response = await app.fetch(ask(path, "demo-endless", signal), env, context);
    const body: ReadableStream<Uint8Array> | null = response.body;
    if (body === null) throw new Error("no body");
    const reader = body.getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toContain("data: ");
    expect(armed.size).toBeGreaterThan(0);
    return { armed, reader, context };
  };

  it("[I7][L3] by cancel()", async () => {
    const { armed, reader, context } = await openEndless();
    await reader.cancel();
    await vi.waitUntil(() => armed.size === 0, PATIENCE);
    await waitOnExecutionContext(context);
  });

  it("[I7][L3] by the request's signal while it reads", async () => {
    const controller = new AbortController();
    const { armed, reader, context } = await openEndless(controller.signal);
    const rest = (async () => {
      while (!(await reader.read()).done);
    })();
    controller.abort();
    await vi.waitUntil(() => armed.size === 0, PATIENCE);
    // However the stream ends for whoever still holds it, it ends.
    await rest.catch(() => {});
    await waitOnExecutionContext(context);
  });

  it("[I7][L3] by reading to the end", async () => {
    const { armed, app } = watchApp();
    const response = await app.fetch(ask(path, "demo"), env, createExecutionContext());
    expect((await readEventStream(response)).events.at(-1)?.data).toBe("[DONE]");
    await vi.waitUntil(() => armed.size === 0, PATIENCE);
  });
});
