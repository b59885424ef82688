/**
 * Random lives of a room against a model: members who join, speak, break off, resume, lag and leave while
 * the room sleeps, crashes, trims and loses its log. Longer: FUZZ_SEEDS=<number>; one: FUZZ_SEED=<seed>.
 */
import { expect, test } from "vitest";
import { play } from "./room-model/run.ts";

const ONLY = process.env["FUZZ_SEED"];
const FIRST = Number(ONLY ?? 1);
const SEEDS = ONLY === undefined ? Number(process.env["FUZZ_SEEDS"] ?? 500) : 1;

/** Milliseconds for a seed, on a slow and busy machine. */
const SEED_MS = 1_000;

/** What these have found is told step by step in test/unit/room and test/unit/delivery. */
const FOUND: readonly (readonly [seed: number, what: string])[] = [
  [4897, "an ack inside of what was sent before a sleep took nothing away"],
  [60, "an ack inside of what was sent live took too much away"],
  [2065, "a row that was sent in part counted whole after a sleep, for ever"],
  [625, "what was trimmed in a sleep no longer counted as outstanding"],
  [10646, "a page sent before a gap took credit for ever"],
  [13865, "the same with a viewer"],
];

test.each(FOUND)("[I4][I5] seed %i: %s", (seed) => {
  expect(play(seed).truth.tail).toBeGreaterThan(0);
});

test(
  "[I2][I3][I4][I5][W3][W6] whatever happens, everybody has every message once and in order",
  () => {
    let messages = 0;
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) messages += play(seed).truth.tail;
    expect(messages).toBeGreaterThan(0);
  },
  SEEDS * SEED_MS,
);
