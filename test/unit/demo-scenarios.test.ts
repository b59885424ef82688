import { describe, expect, test } from "vitest";
import { createDemoFetch } from "../../src/llm/demo/fetch.ts";
import {
  ADDRESS,
  ask,
  chunksOf,
  during,
  readAll,
  readStream,
  requireBody,
  send,
  textOf,
} from "../support/demo.ts";
import { FakeClock } from "../support/fake-clock.ts";

describe("demo scenarios", () => {
  const messages = ask("What is Sluice?");

  test("[L5] demo-fail-before answers 503 with an error", async () => {
    const response = await send(new FakeClock(), { model: "demo-fail-before", messages });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { type: "server_error" } });
  });

  test("[L5] a body that is no request answers 400", async () => {
    const response = await createDemoFetch(new FakeClock())(ADDRESS, { method: "POST", body: "{" });
    expect(response.status).toBe(400);
  });

  test("[L5] demo-fail-after says something, then an error, and nothing after it", async () => {
    const stream = await readStream(new FakeClock(), { model: "demo-fail-after", messages });
    expect(textOf(stream)).toMatch(/^Demo answer/);
    expect(chunksOf(stream).at(-1)?.error?.message).toMatch(/asked to fail/);
    expect(stream).not.toContain("[DONE]");
  });

  test("[L5] demo-truncated ends with neither finish_reason nor [DONE]", async () => {
    const stream = await readStream(new FakeClock(), { model: "demo-truncated", messages });
    expect(textOf(stream)).toMatch(/^Demo answer/);
    expect(stream).not.toContain("[DONE]");
    expect(chunksOf(stream).every(({ choices }) => choices[0]?.finish_reason === null)).toBe(true);
  });

  test("[L5] without streaming, failing is a status and truncation is broken JSON", async () => {
    const clock = new FakeClock();
    const failing = send(clock, { model: "demo-fail-after", messages });
    const { status } = await during(clock, failing);
    expect(status).toBe(500);
    const cut = await readAll(clock, send(clock, { model: "demo-truncated", messages }));
    expect(() => JSON.parse(cut) as unknown).toThrow(SyntaxError);
  });

  test("[L3] demo-endless goes on and on", async () => {
    const clock = new FakeClock();
    const body = await requireBody(send(clock, { model: "demo-endless", stream: true, messages }));
    const reader = body.getReader();
    let reads = 0;
    void (async () => {
      while (!(await reader.read()).done) reads += 1;
    })();
    await clock.advanceUntil(() => reads > 1_000);
    await reader.cancel();
    expect(clock.armed).toBe(0);
  });

  test("[B1] demo-long says several thousand tokens in less than ten seconds", async () => {
    const clock = new FakeClock();
    const start = clock.now();
    const stream = await readStream(clock, { model: "demo-long", messages });
    expect(chunksOf(stream).length).toBeGreaterThan(3_000);
    expect(clock.now() - start).toBeLessThan(10_000);
  });

  test("[L1] demo-slow has its first token after the response is committed", async () => {
    const clock = new FakeClock();
    const start = clock.now();
    await readStream(clock, { model: "demo-slow", messages, max_tokens: 2 });
    expect(clock.now() - start).toBe(3_250);
  });

  test("[L1] demo-reasoning thinks before it speaks", async () => {
    const chunks = chunksOf(
      await readStream(new FakeClock(), { model: "demo-reasoning", messages }),
    );
    const deltas = chunks.map(({ choices }) => choices[0]?.delta ?? {});
    const thoughts = deltas.flatMap((delta, at) => ("reasoning_content" in delta ? [at] : []));
    const words = deltas.flatMap(({ content = "" }, at) => (content === "" ? [] : [at]));
    expect(thoughts.length).toBeGreaterThan(5);
    expect(Math.max(...thoughts)).toBeLessThan(Math.min(...words));
  });
});
