import { describe, expect, it } from "vitest";
import { type Entries, Pump } from "../../../durable-objects/generation/pump.ts";
import type { AnswerChunk } from "../../../src/llm/progress.ts";
import { readEntries } from "../../../src/protocol/entries.ts";
import { GENERATION_FLUSH_MS, MAX_GENERATION_EVENT_BYTES } from "../../../src/protocol/limits.ts";
import { decodeValue } from "../../../src/protocol/value.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const say = (content: string, fields: object = { id: "theirs" }): AnswerChunk => {
  const chunk = { ...fields, choices: [{ delta: { content } }] };
  return { chunk, json: JSON.stringify(chunk) };
};

function setUp(): { clock: FakeClock; pump: Pump; flushes: Entries[]; texts: () => string[] } {
  const clock = new FakeClock();
  const flushes: Entries[] = [];
  const pump = new Pump({
    id: "gen_ours",
    created: 7,
    clock,
    flushMs: GENERATION_FLUSH_MS,
    store: (flush) => flushes.push(flush),
  });
  const texts = (): string[] =>
    flushes.flatMap(({ entries }) =>
      [...readEntries(entries)].map(({ payload }) => String(decodeValue(payload))),
    );
  return { clock, pump, flushes, texts };
}

describe("[L4] the way of chunks into the log", () => {
  it("[L1] stores everything up to the first word at once, and the next within 25 ms", async () => {
    const { clock, pump, flushes } = setUp();
    pump.push([say("")]);
    await clock.advance(1);
    pump.push([say(""), say("first")]);
    expect(flushes.map(({ count }) => count)).toEqual([1, 2]);
    await clock.advance(1);
    pump.push([say("second")]);
    expect(flushes.length).toBe(2);
    await clock.advance(25);
    expect(flushes.length).toBe(3);
    pump.push([say("third")]);
    pump.flush();
    expect(flushes.length).toBe(4);
  });

  it("[P2] needs at most 53 rows for 1,000 tokens at 50 a second, and none waits longer than it may", async () => {
    const { clock, pump, flushes, texts } = setUp();
    for (let token = 0; token < 1_000; token += 1) {
      pump.push([say(`token ${token}`)]);
      await clock.advance(20);
    }
    pump.flush();
    expect(texts().length).toBe(1_000);
    expect(flushes.length).toBeLessThanOrEqual(53);
    expect(Math.max(...flushes.map(({ count }) => count))).toBeLessThanOrEqual(
      GENERATION_FLUSH_MS / 20 + 1,
    );
  });

  it("[L4] puts our id and time in place of theirs and leaves everything else as they wrote it", () => {
    const { pump, texts } = setUp();
    const written = [
      '{ "id" : "chatcmpl-1", "object":"o", "created" : 5 , "choices": [ ] }',
      '{"id":"x","provider":"P","model":null,"created":5,"choices":[{"delta":{"content":"\\"created\\":5"}}]}',
      '{"id":"x","choices":[{"delta":{"created":5}}], "created":5}',
      '{"id":null,"created":5.5,"choices":[]}',
      '{"choices":[]}',
    ];
    for (const json of written)
      pump.push([{ json, chunk: JSON.parse(json) as AnswerChunk["chunk"] }]);
    pump.flush();
    expect(texts()).toEqual([
      '{"id":"gen_ours", "object":"o", "created" : 7 , "choices": [ ] }',
      '{"id":"gen_ours","provider":"P","model":null,"created":7,"choices":[{"delta":{"content":"\\"created\\":5"}}]}',
      '{"id":"gen_ours","choices":[{"delta":{"created":5}}],"created":7}',
      '{"id":"gen_ours","created":7,"choices":[]}',
      '{"choices":[],"id":"gen_ours","created":7}',
    ]);
  });

  it("[I5] refuses a chunk that no frame could hold, after what came before it", () => {
    const { pump, texts } = setUp();
    const huge = say("x".repeat(MAX_GENERATION_EVENT_BYTES));
    expect(() => {
      pump.push([say("before"), huge]);
    }).toThrow("output_limit");
    expect(texts().length).toBe(1);
  });

  it("[I7] leaves no timer behind", async () => {
    const { clock, pump } = setUp();
    pump.push([say("a")]);
    pump.push([say("b")]);
    expect(clock.armed).toBe(1);
    pump[Symbol.dispose]();
    expect(clock.armed).toBe(0);
  });
});
