/**
 * The client behind a network that delays, cuts, resets and swallows (S3, S4, W3, W5, L4, I3). `FUZZ_SEED`
 * repeats one seed, `FUZZ_SEEDS` says how many there are.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { answersBySeed, chat } from "../chaos/chat.ts";
import { rooms } from "../chaos/rooms.ts";
import { topics } from "../chaos/topics.ts";
import { note } from "../support/note.ts";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

const ONLY = process.env["FUZZ_SEED"];
const FIRST = Number(ONLY ?? 1);
const SEEDS = ONLY === undefined ? Number(process.env["FUZZ_SEEDS"] ?? 200) : 1;

/** Scenarios at once. Most of their time is spent waiting. */
const TOGETHER = 12;

/** Milliseconds of one scenario on a slow, busy machine. */
const PATIENCE_MS = 30_000;

let upstream: ScriptedUpstream;
let worker: RunningWorker;

beforeAll(async () => {
  upstream = await startUpstream(answersBySeed);
  worker = await startWorker({ OPENAI_BASE_URL: upstream.baseURL, OPENAI_API_KEY: "key" });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

test.each([
  ["topics", topics],
  ["rooms", rooms],
  ["chat", chat],
] as const)(
  `[S3][S4][W3][W5][L4] %s behind a bad network, ${SEEDS} seeds: everything once, in order`,
  async (name, scenario) => {
    const begin = performance.now();
    const failures: string[] = [];
    let next = FIRST;
    const lane = async (): Promise<void> => {
      while (next < FIRST + SEEDS) {
        const seed = next;
        next += 1;
        try {
          await within(PATIENCE_MS, scenario(worker, seed));
        } catch (error) {
          failures.push(`seed ${seed}: ${String(error)}`);
        }
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, lane));
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    note(`${name}: seeds ${FIRST} to ${FIRST + SEEDS - 1}, ${seconds} s`);
    expect(failures).toEqual([]);
  },
  10 * 60_000,
);

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`It is not over after ${ms} ms.`));
    }, ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
