import { expect, test } from "vitest";
import { nextEpoch } from "../../../durable-objects/log/epoch.ts";
import { StillClock } from "../../support/still-clock.ts";

test("[DESIGN] an epoch is eleven letters and digits", () => {
  for (const chance of [0, 0.5, 0.999_999]) {
    expect(nextEpoch(undefined, new StillClock(), () => chance)).toMatch(/^[0-9a-z]{11}$/);
  }
});

test("[I4] epochs sort as text in the order of their lives, whatever the clock does", () => {
  const clock = new StillClock();
  const epochs: string[] = [];
  for (const step of [0, 0, 0, -100_000, 0, 1, 1_000_000, -1]) {
    clock.time += step;
    epochs.push(nextEpoch(epochs.at(-1), clock, () => (epochs.length % 2 === 0 ? 0.99 : 0)));
  }
  expect(epochs.toSorted()).toEqual(epochs);
  expect(new Set(epochs).size).toBe(epochs.length);
});
