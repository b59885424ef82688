import { describe, expect, it } from "vitest";
import {
  Abandonment,
  parseWhenAbandoned,
  type WhenAbandoned,
} from "../../../durable-objects/generation/when-abandoned.ts";
import { FIRST_VIEWER_MS } from "../../../src/protocol/limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function watch(policy: WhenAbandoned): {
  clock: FakeClock;
  watcher: Abandonment;
  times: () => number;
} {
  const clock = new FakeClock();
  let times = 0;
  const watcher = new Abandonment({
    policy,
    clock,
    abandoned: () => {
      times += 1;
    },
  });
  return { clock, watcher, times: () => times };
}

describe("[L3] what becomes of an answer that nobody watches", () => {
  it("[L3] continue: nothing, and no timer", async () => {
    const { clock, watcher, times } = watch({ kind: "continue" });
    watcher.watchedBy(1);
    watcher.watchedBy(0);
    await clock.advance(10 * FIRST_VIEWER_MS);
    expect([times(), clock.armed]).toEqual([0, 0]);
  });

  it("[L3] cancel: at once when the last one leaves, and when nobody ever comes", async () => {
    const one = watch({ kind: "cancel" });
    one.watcher.watchedBy(2);
    one.watcher.watchedBy(1);
    expect(one.times()).toBe(0);
    one.watcher.watchedBy(0);
    expect([one.times(), one.clock.armed]).toEqual([1, 0]);
    const two = watch({ kind: "cancel" });
    await two.clock.advance(FIRST_VIEWER_MS - 1);
    expect(two.times()).toBe(0);
    await two.clock.advance(1);
    expect(two.times()).toBe(1);
  });

  it("[L4] grace: who comes back in time finds it running, and the time begins anew", async () => {
    const { clock, watcher, times } = watch({ kind: "grace", seconds: 30 });
    watcher.watchedBy(1);
    watcher.watchedBy(0);
    await clock.advance(29_999);
    watcher.watchedBy(1);
    await clock.advance(60_000);
    watcher.watchedBy(0);
    await clock.advance(29_999);
    expect(times()).toBe(0);
    await clock.advance(1);
    expect([times(), clock.armed]).toEqual([1, 0]);
  });

  it("[W4] is read from text", () => {
    expect(parseWhenAbandoned("grace=30")).toEqual({ kind: "grace", seconds: 30 });
    expect(parseWhenAbandoned("cancel")).toEqual({ kind: "cancel" });
    for (const text of ["", "grace", "grace=", "grace=-1", "grace=1.5", "Continue", "stop"]) {
      expect(parseWhenAbandoned(text)).toBeUndefined();
    }
  });
});
