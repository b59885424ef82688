import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenBucket } from "../../../durable-objects/delivery/token-bucket.ts";
import { FakeClock } from "../../support/fake-clock.ts";

test("[W4] a burst passes, what is more is told when to come back, and then passes", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, { perSecond: 10, burst: 3 });
  expect([bucket.take(1), bucket.take(2), bucket.take(1)]).toEqual([0, 0, 100]);
  await clock.advance(99);
  expect(bucket.take(1)).toBeGreaterThan(0);
  await clock.advance(1);
  expect(bucket.take(1)).toBe(0);
});

test("[W4] what exceeds the burst passes when the bucket is full", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(clock, { perSecond: 1, burst: 5 });
  expect(bucket.take(50)).toBe(0);
  expect(bucket.take(50)).toBe(5_000);
  await clock.advance(5_000);
  expect(bucket.take(50)).toBe(0);
});

test("[W4] a pause fills no more than the burst, and a clock set back takes nothing away", async () => {
  const clock = new FakeClock(1_000_000);
  const bucket = new TokenBucket(clock, { perSecond: 1, burst: 2 });
  await clock.advance(60_000);
  expect([bucket.take(2), bucket.take(1)]).toEqual([0, 1_000]);
  let now = 5_000;
  const moved = new TokenBucket(
    { now: () => now, after: () => () => undefined },
    { perSecond: 1, burst: 2 },
  );
  now = 0;
  expect([moved.take(2), moved.take(1)]).toEqual([0, 1_000]);
});

test("[W4] never more than burst and rate allow, and the wait it names suffices", async () => {
  const steps = fc.array(
    fc.record({ pause: fc.nat(3_000), units: fc.integer({ min: 1, max: 20 }) }),
  );
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const clock = new FakeClock();
      const start = clock.now();
      const bucket = new TokenBucket(clock, { perSecond: 7, burst: 20 });
      let taken = 0;
      for (const { pause, units } of steps) {
        await clock.advance(pause);
        const wait = bucket.take(units);
        await clock.advance(wait);
        // Rounding may cost another millisecond, never more.
        const rest = wait === 0 ? 0 : bucket.take(units);
        expect(rest).toBeLessThanOrEqual(1);
        await clock.advance(rest);
        if (rest > 0) expect(bucket.take(units)).toBe(0);
        taken += units;
        expect(taken).toBeLessThanOrEqual(20 + ((clock.now() - start) / 1_000) * 7 + 1e-6);
      }
    }),
    { numRuns: 60 },
  );
});
