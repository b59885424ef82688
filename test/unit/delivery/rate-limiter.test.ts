import { expect, test } from "vitest";
import { acceptConnection, type Connection } from "../../../durable-objects/delivery/connection.ts";
import { RateLimiter } from "../../../durable-objects/delivery/rate-limiter.ts";
import { MAX_RATE_STRIKES } from "../../../src/protocol/limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeSocket } from "../../support/fake-socket.ts";

function connection(): Connection {
  const facts = { id: "c1", door: "member", joinedAt: 0, fixedMember: undefined } as const;
  return acceptConnection(new FakeSocket(), facts);
}

function setUp(): { clock: FakeClock; limiter: RateLimiter } {
  const clock = new FakeClock();
  const messages = { perSecond: 1, burst: 2 };
  const limiter = new RateLimiter(clock, { messages, bytes: { perSecond: 100, burst: 1_000 } });
  return { clock, limiter };
}

test("[W4] each connection has a rate of its own, in messages and in bytes", async () => {
  const { clock, limiter } = setUp();
  const [loud, heavy, quiet] = [connection(), connection(), connection()];
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
  const one = connection();
  const strike = (): boolean | undefined => limiter.spend(one, 1)?.isHopeless;
  expect([strike(), strike()]).toEqual([undefined, undefined]);
  for (let n = 1; n < MAX_RATE_STRIKES; n += 1) expect(strike()).toBe(false);
  await clock.advance(1_000);
  expect(strike()).toBeUndefined();
  for (let n = 1; n <= MAX_RATE_STRIKES; n += 1) expect(strike()).toBe(false);
  expect(strike()).toBe(true);
});

test("[I7] a connection that is gone is forgotten with its strikes", () => {
  const { limiter } = setUp();
  const one = connection();
  for (let n = 0; n < 5; n += 1) limiter.spend(one, 1);
  limiter.forget(one);
  expect(limiter.spend(one, 1)).toBeUndefined();
});
