import { describe, expect, it } from "vitest";
import { ask } from "../../../durable-objects/generation/ask.ts";
import type { AnswerChunk } from "../../../src/llm/progress.ts";
import { SluiceError } from "../../../src/protocol/errors.ts";
import { GENERATION_HEAD_START_MS } from "../../../src/protocol/limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const word: AnswerChunk = { json: "{}", chunk: { choices: [{ delta: { content: "word" } }] } };

describe("[L1] asking before anything is written", () => {
  it("[L1] waits a little for what a fast provider says, and loses none of it", async () => {
    const clock = new FakeClock();
    const asked = await ask(async function* () {
      yield [word];
      yield [word, word];
    }, clock);
    const sizes = [];
    for await (const batch of asked.chunks) sizes.push(batch.length);
    expect(sizes).toEqual([1, 2]);
    expect(clock.armed).toBe(0);
  });

  it("[L1] does not wait for a slow one, which has been asked by then", async () => {
    const clock = new FakeClock();
    const { promise, resolve } = Promise.withResolvers<void>();
    let isAsked = false;
    const asking = ask(async function* () {
      isAsked = true;
      await promise;
      yield [word];
    }, clock);
    await clock.advance(GENERATION_HEAD_START_MS);
    const asked = await asking;
    expect(isAsked).toBe(true);
    resolve();
    const batches = [];
    for await (const batch of asked.chunks) batches.push(batch);
    expect(batches).toEqual([[word]]);
  });

  it("[L5] leaves a failure to whoever reads the answer", async () => {
    const clock = new FakeClock();
    // oxlint-disable-next-line require-yield -- an answer that fails before its first chunk
    const asked = await ask(async function* () {
      throw new SluiceError("upstream_rejected");
    }, clock);
    const read = async (): Promise<void> => {
      for await (const _ of asked.chunks);
    };
    await expect(read()).rejects.toThrow("upstream_rejected");
    expect(clock.armed).toBe(0);
  });

  it("[L3][I7] closes the provider's socket when it is left, also if nobody has read", async () => {
    const clock = new FakeClock();
    let signal: AbortSignal | undefined;
    {
      using _asked = await ask(async function* (given) {
        signal = given;
        yield [word];
      }, clock);
      expect(signal?.aborted).toBe(false);
    }
    expect(signal?.aborted).toBe(true);
  });
});
