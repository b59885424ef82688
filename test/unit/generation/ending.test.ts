/** How an answer ends when something goes wrong while its end is written. */
import { afterEach, expect, it, vi } from "vitest";
import { Generation } from "../../../durable-objects/generation/generation.ts";
import { SETTINGS_MEANWHILE } from "../../../durable-objects/generation/settings.ts";
import { Log } from "../../../durable-objects/log/log.ts";
import type { Ending, Outcome } from "../../../src/llm/ending.ts";
import type { AnswerChunk } from "../../../src/llm/progress.ts";
import type { SluiceError } from "../../../src/protocol/errors.ts";
import { DAY_MS, SWEEP_MS } from "../../../src/protocol/limits.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { ManualSource } from "../../support/manual-source.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { startCall } from "../../support/start-call.ts";

const FULL = (): never => {
  throw new Error("database or disk is full: SQLITE_FULL");
};

afterEach(() => {
  vi.restoreAllMocks();
});

/** An answer that is being written: its first word is stored, the second waits. */
async function openAnswer({ ttlMs = 60_000 } = {}) {
  const clock = new FakeClock();
  const source = new ManualSource<readonly AnswerChunk[]>();
  const ended: { readonly outcome: Outcome; readonly ending: Ending }[] = [];
  const reported: SluiceError[] = [];
  const generation = new Generation(
    {
      id: "gen_1",
      sql: new MemorySql(),
      clock,
      random: () => 0.5,
      newId: () => crypto.randomUUID(),
      flushMs: 1_000,
      ttlMs,
      sockets: [],
      lastBeat: () => clock.now(),
      report: (error) => reported.push(error),
      ending: (_end, write) => {
        write();
      },
      ended: (end) => ended.push(end),
    },
    { record: { ...startCall().record, startedAt: clock.now() }, request: "{}" },
  );
  const say = async (...chunks: readonly Record<string, unknown>[]): Promise<void> => {
    source.push(
      chunks.map((chunk) => {
        const whole = { id: "x", choices: [], ...chunk };
        return { json: JSON.stringify(whole), chunk: whole };
      }),
    );
    await settle();
  };
  void generation.run({ chunks: source, abort: () => {}, [Symbol.dispose]() {} }, []);
  await clock.advance(700);
  await say({ choices: [{ delta: { content: "Hel" } }] });
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
  await say({ choices: [{ delta: { content: "lo" } }], usage });
  return { clock, generation, ended, reported };
}

it("[L5][I6] the last tokens that cannot be stored end the answer once, with the count of all that came", async () => {
  const { generation, ended, reported } = await openAnswer();
  vi.spyOn(Log.prototype, "append").mockImplementationOnce(FULL);
  generation.stop();
  expect(ended).toMatchObject([
    {
      outcome: "failed",
      ending: { error: { code: "internal" }, firstChunkMs: 700, usage: { total_tokens: 5 } },
    },
  ]);
  expect([reported.length, generation.log.state]).toMatchObject([
    1,
    { kind: "closed", terminal: { outcome: "failed" } },
  ]);
});

it("[E2] whose time nobody knows is kept, and asked again in some minutes", async () => {
  const { clock, generation } = await openAnswer(SETTINGS_MEANWHILE);
  generation.stop();
  expect(generation.dueAt).toBe(clock.now() + SWEEP_MS);
  await clock.advance(30 * DAY_MS);
  expect(generation.isExpired).toBe(false);
  expect(generation.dueAt).toBe(clock.now() + SWEEP_MS);
});

it("[E2] is due when its time is over", async () => {
  const { clock, generation } = await openAnswer();
  generation.stop();
  expect(generation.dueAt).toBe(clock.now() + 60_000);
  await clock.advance(60_000);
  expect(generation.isExpired).toBe(true);
});
