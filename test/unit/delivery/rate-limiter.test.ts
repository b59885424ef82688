import { expect, test } from "vitest";
import { RateLimiter } from "../../../durable-objects/delivery/rate-limiter.ts";
import { MAX_RATE_STRIKES } from "../../../src/protocol/limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function setUp(): { clock: FakeClock; limiter: RateLimiter } {
  const clock = new FakeClock();
  const messages = { perSecond: 1, burst: 2 };
  const limiter = new RateLimiter(clock, { messages, bytes: { perSecond: 100, burst: 1_000 } });
  return { clock, limiter };
}

test("[W4] each member has a rate of its own, in messages and in bytes", async () => {
  const { clock, limiter } = setUp();
  const [loud, heavy, quiet] = ["loud", "heavy", "quiet"] as const;
  expect(limiter.spend(loud, 1)).toBeUndefined();
  expect(limiter.spend(loud, 1)).toBeUndefined();
  expect(limiter.spend(loud, 1)).toEqual({ retryAfterMs: 1_000, isHopeless: false });
  expect(limiter.spend(heavy, 1_000)).toBeUndefined();
  expect(limiter.spend(heavy, 10)).toEqual({ retryAfterMs: 100, isHopeless: false });
  expect(limiter.spend(quiet, 1)).toBeUndefined();
  await clock.advance(1_000);
  expect(limiter.spend(loud, 1)).toBeUndefined();
});

test("[W4] who never pauses is hopeless in the end, who waits starts afresh", async () => {
  const { clock, limiter } = setUp();
  const one = "one";
  const strike = (): boolean | undefined => limiter.spend(one, 1)?.isHopeless;
  expect([strike(), strike()]).toEqual([undefined, undefined]);
  for (let n = 1; n < MAX_RATE_STRIKES; n += 1) expect(strike()).toBe(false);
  await clock.advance(1_000);
  expect(strike()).toBeUndefined();
  for (let n = 1; n <= MAX_RATE_STRIKES; n += 1) expect(strike()).toBe(false);
  expect(strike()).toBe(true);
});

test("[W4] what belongs together passes whole or not at all, and makes nobody hopeless", async () => {
  const { clock, limiter } = setUp();
  expect(limiter.spendTogether("one", [500, 300])).toBe(0);
  for (let n = 0; n <= MAX_RATE_STRIKES; n += 1) {
    expect(limiter.spendTogether("one", [300, 300])).toBe(4_000);
  }
  // A refused request has taken no message: the one that came back is there.
  await clock.advance(1_000);
  expect(limiter.spend("one", 300)).toBeUndefined();
  expect(limiter.spend("one", 1)).toEqual({ retryAfterMs: 1_000, isHopeless: false });
});

test("[W4] more than an account ever holds can never pass together, one message can", () => {
  const { limiter } = setUp();
  expect([[1, 1, 1], [600, 600], [500, 500], [5_000]].map((one) => limiter.isTooMuch(one))).toEqual(
    [true, true, false, false],
  );
});

test("[I7] an account outlives its member until it is full again, and no longer", async () => {
  const { clock, limiter } = setUp();
  for (let n = 0; n < 200; n += 1) limiter.spend(`member-${n}`, 1);
  expect(limiter.size).toBe(200);
  limiter.spend("loud", 1);
  limiter.spend("loud", 1);
  expect(limiter.spend("loud", 1)).toBeDefined();
  await clock.advance(60_000);
  for (let n = 0; n < 200; n += 1) limiter.spend(`other-${n}`, 1);
  expect(limiter.size).toBeLessThan(400);
});

test("[W4] all connections of a member share its rate, and coming back does not fill it", () => {
  const { limiter } = setUp();
  limiter.spend("ann", 1);
  limiter.spend("ann", 1);
  expect(limiter.spend("ann", 1)).toBeDefined();
});
