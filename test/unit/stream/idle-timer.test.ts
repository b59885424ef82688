import { describe, expect, it } from "vitest";
import { IdleTimer } from "../../../src/stream/idle-timer.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("[L5] idle timer", () => {
  it("[L5] fires when nothing happened for the limit, and not a moment earlier", async () => {
    const clock = new FakeClock();
    let fired = 0;
    using timer = new IdleTimer(clock, 100, () => (fired += 1));
    timer.start();
    await clock.advance(99);
    timer.start();
    await clock.advance(99);
    expect(fired).toBe(0);
    await clock.advance(1);
    expect(fired).toBe(1);
  });

  it("[B1] does not count the time in which nobody waits", async () => {
    const clock = new FakeClock();
    let fired = 0;
    using timer = new IdleTimer(clock, 100, () => (fired += 1));
    timer.start();
    timer.pause();
    await clock.advance(1_000);
    expect(fired).toBe(0);
    timer.start();
    await clock.advance(100);
    expect(fired).toBe(1);
  });

  it("[L5] a shorter limit takes effect at once", async () => {
    const clock = new FakeClock();
    let fired = 0;
    using timer = new IdleTimer(clock, 10_000, () => (fired += 1));
    timer.start();
    timer.start(20);
    await clock.advance(20);
    expect(fired).toBe(1);
  });

  it("[L5] a longer limit is not cut short by the timer of the shorter one", async () => {
    const clock = new FakeClock();
    let fired = 0;
    using timer = new IdleTimer(clock, 20, () => (fired += 1));
    timer.start();
    timer.start(1_000);
    await clock.advance(999);
    expect(fired).toBe(0);
    await clock.advance(1);
    expect(fired).toBe(1);
  });

  it("[I7] disposing disarms it", async () => {
    const clock = new FakeClock();
    const timer = new IdleTimer(clock, 100, () => {
      throw new Error("fired");
    });
    timer.start();
    timer[Symbol.dispose]();
    expect(clock.armed).toBe(0);
    await clock.advance(1_000);
  });
});
