/**
 * Random lives of a few topics against a model: idempotent producers, ends, forks and forks of forks,
 * deletion, expiry and sleep, while sources cannot always be told that a fork is gone. Longer:
 * FUZZ_SEEDS=<number>; one: FUZZ_SEED=<seed>.
 */
import { expect, test } from "vitest";
import { SeededRandom } from "../support/seeded-random.ts";
import { World } from "./topic-model/world.ts";

const ONLY = process.env["FUZZ_SEED"];
const FIRST = Number(ONLY ?? 1);
const SEEDS = ONLY === undefined ? Number(process.env["FUZZ_SEEDS"] ?? 40) : 1;
const STEPS = 100;

/** Milliseconds for a seed, on a slow and busy machine. */
const SEED_MS = 4_000;

test(
  "[I2][I3][I6][I7] producers write once, forks are what they were made of, and sources learn of their end",
  async () => {
    let written = 0;
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      try {
        const world = new World(new SeededRandom(seed));
        for (let step = 0; step < STEPS; step += 1) await world.step();
        await world.settle();
        written += world.written;
      } catch (cause) {
        throw new Error(`FUZZ_SEED=${seed} fails`, { cause });
      }
    }
    expect(written).toBeGreaterThan(0);
  },
  SEEDS * SEED_MS,
);
