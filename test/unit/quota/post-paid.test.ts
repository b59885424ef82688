import { expect, test } from "vitest";
import { Counters, type Want } from "../../../durable-objects/quota/counters.ts";
import {
  encodePayer,
  PostPaid,
  readPayers,
  type SocketPayer,
} from "../../../durable-objects/quota/post-paid.ts";
import { DAY_MS, POST_PAID_MESSAGES, POST_PAID_MS } from "../../../src/protocol/limits.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { MemorySql } from "../../support/memory-sql.ts";

const PAYER: SocketPayer = { quota: "alice", publishes: 1_000, bytes: 0 };

function openPostPaid() {
  const clock = new FakeClock();
  const counters = new Counters(new MemorySql(), clock);
  const calls: (readonly Want[])[] = [];
  const open = (): PostPaid =>
    new PostPaid({
      clock,
      take: async (_quota, wants) => {
        calls.push(wants);
        return await Promise.resolve(counters.take(wants));
      },
    });
  const postPaid = open();
  return { clock, calls, counters, postPaid, reopen: open };
}

test("[E2] what is said over a socket is counted together, and soon", async () => {
  const { clock, calls, postPaid } = openPostPaid();
  for (let n = 0; n < 10; n += 1) expect(postPaid.spend([PAYER], 100)).toBeUndefined();
  // All but the first, which tells whether its payer may say anything.
  expect([calls.length, clock.armed]).toEqual([1, 1]);
  await clock.advance(POST_PAID_MS);
  expect(calls.map(([want]) => want?.units)).toEqual([1, 9]);
  // Nothing keeps the object awake.
  expect(clock.armed).toBe(0);
  for (let n = 0; n < POST_PAID_MESSAGES; n += 1) postPaid.spend([PAYER], 1);
  expect([calls.length, clock.armed]).toEqual([3, 0]);
});

test("[E2] who has used up its quota is refused until the day is over, and may pass it by little", async () => {
  const { clock, postPaid } = openPostPaid();
  let said = 0;
  while (postPaid.spend([PAYER], 1) === undefined) {
    said += 1;
    await settle();
  }
  expect(said).toBeLessThanOrEqual(PAYER.publishes + POST_PAID_MESSAGES);
  expect(said).toBeGreaterThan(PAYER.publishes - POST_PAID_MESSAGES);
  expect(postPaid.spend([PAYER], 1)).toBe(DAY_MS);
  expect(postPaid.spend([{ ...PAYER, quota: "bob" }], 1)).toBeUndefined();
  await clock.advance(DAY_MS);
  expect(postPaid.spend([PAYER], 1)).toBeUndefined();
});

test("[E2] a socket's payers are its tags, beside others; nobody's pays nothing", () => {
  const { clock, postPaid } = openPostPaid();
  expect(readPayers(["abc.def", encodePayer(PAYER)])).toEqual([PAYER]);
  expect(postPaid.spend([], 1)).toBeUndefined();
  expect(clock.armed).toBe(0);
});

test("[E2] what is refused takes what there is left, of each quota", async () => {
  const { counters, postPaid } = openPostPaid();
  const payer: SocketPayer = { quota: "alice", publishes: 100, bytes: 150 };
  for (let n = 0; n < POST_PAID_MESSAGES; n += 1) postPaid.spend([payer], 2);
  await settle();
  postPaid.flush();
  await settle();
  const left = (counter: Want["counter"], limit: number) =>
    counters.take([{ counter, limit, windowMs: DAY_MS, units: 1, ahead: 0 }]);
  expect(left("publishes", 100)).toMatchObject({ ok: false, refused: { remaining: 0 } });
  expect(left("bytes", 150)).toMatchObject({ ok: false, refused: { remaining: 0 } });
  expect(postPaid.spend([payer], 2)).toBe(DAY_MS);
});

test("[E2][W2] an object that has slept says one message for whoever has used up its quota, not many", async () => {
  const { clock, counters, reopen } = openPostPaid();
  const used = { counter: "publishes", limit: PAYER.publishes, windowMs: DAY_MS } as const;
  counters.take([{ ...used, units: PAYER.publishes, ahead: 0 }]);
  for (let wake = 0; wake < 3; wake += 1) {
    const postPaid = reopen();
    expect(postPaid.spend([PAYER], 1)).toBeUndefined();
    await settle();
    expect(postPaid.spend([PAYER], 1)).toBe(DAY_MS - (clock.now() % DAY_MS));
  }
});
