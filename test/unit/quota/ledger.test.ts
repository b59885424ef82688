import { expect, test } from "vitest";
import { Counters, type Want } from "../../../durable-objects/quota/counters.ts";
import { DAY_MS, MAX_KNOWN_NAMES, QUOTA_REFUSED_MS } from "../../../src/protocol/limits.ts";
import { networkOf } from "../../../src/quota/address.ts";
import { describeRateLimits } from "../../../src/quota/headers.ts";
import { Ledger } from "../../../src/quota/ledger.ts";
import { readQuotaSettings } from "../../../src/quota/settings.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemorySql } from "../../support/memory-sql.ts";

function openLedger(limit: number) {
  const clock = new FakeClock();
  const counters = new Counters(new MemorySql(), clock);
  const calls: (readonly Want[])[] = [];
  const take = async (wants: readonly Want[]) => {
    calls.push(wants);
    // As if it came from far away.
    await Promise.resolve();
    return counters.take(wants);
  };
  const spend = (ledger: Ledger, units = 1) =>
    ledger.spend("alice", [{ counter: "requests", limit, windowMs: DAY_MS, units }], take);
  return { clock, calls, spend, ledger: new Ledger(clock) };
}

test("[E2] who comes seldom is counted one by one, and no isolate keeps anything", async () => {
  const { clock, calls, spend, ledger } = openLedger(1_000);
  for (let n = 0; n < 5; n += 1) {
    const { standings } = await spend(ledger);
    expect(standings[0]?.remaining).toBe(999 - n);
    await clock.advance(60_000);
  }
  expect(calls.map(([want]) => want?.ahead)).toEqual([0, 0, 0, 0, 0]);
});

test("[E2] who is busy costs a call for many requests, and is still counted exactly", async () => {
  const { calls, spend, ledger } = openLedger(1_000);
  let served = 0;
  while ((await spend(ledger)).refused === undefined) served += 1;
  expect(served).toBe(1_000);
  // A thousand of their own without leases.
  expect(calls.length).toBeLessThan(200);
});

test("[E2] many isolates give no more than one would", async () => {
  const { spend, clock } = openLedger(500);
  const ledgers = Array.from({ length: 20 }, () => new Ledger(clock));
  let served = 0;
  for (let round = 0; round < 60; round += 1) {
    const results = await Promise.all(ledgers.map((ledger) => spend(ledger)));
    served += results.filter(({ refused }) => refused === undefined).length;
  }
  expect(served).toBeLessThanOrEqual(500);
  // What other isolates still hold is the price; they hold little.
  expect(served).toBeGreaterThan(440);
});

test("[E2] many at once in one isolate pass no more than the limit", async () => {
  const { spend, ledger } = openLedger(50);
  const results = await Promise.all(Array.from({ length: 200 }, () => spend(ledger)));
  expect(results.filter(({ refused }) => refused === undefined)).toHaveLength(50);
});

test("[E2] a refusal is repeated without asking, for a while; less may still be there", async () => {
  const { clock, calls, spend, ledger } = openLedger(10);
  await spend(ledger, 5);
  expect((await spend(ledger, 6)).refused).toMatchObject({ remaining: 5, limit: 10 });
  const before = calls.length;
  expect((await spend(ledger, 7)).refused).toBeDefined();
  expect(calls.length).toBe(before);
  expect((await spend(ledger, 5)).refused).toBeUndefined();
  await spend(ledger, 1);
  await clock.advance(QUOTA_REFUSED_MS);
  const asked = calls.length;
  await spend(ledger, 1);
  expect(calls.length).toBe(asked + 1);
});

test("[E2] a new day is a new quota for an isolate that has something left of the old one", async () => {
  const { clock, spend, ledger } = openLedger(1_000);
  for (let n = 0; n < 20; n += 1) await spend(ledger);
  await clock.advance(DAY_MS);
  expect((await spend(ledger)).standings[0]?.remaining).toBe(999);
});

test("[E2] what was given back is there again, in its window only", async () => {
  const { clock, spend, ledger } = openLedger(100);
  const { standings } = await spend(ledger, 60);
  const resetAt = standings[0]?.resetAt ?? 0;
  const spent = { counter: "requests", units: 60, resetAt } as const;
  ledger.giveBack("alice", spent);
  expect((await spend(ledger, 60)).standings[0]?.remaining).toBe(40);
  await clock.advance(DAY_MS);
  ledger.giveBack("alice", spent);
  expect((await spend(ledger, 1)).standings[0]?.remaining).toBe(99);
  // Also not when something of the next day is here.
  ledger.giveBack("alice", spent);
  expect((await spend(ledger, 1)).standings[0]?.remaining).toBe(98);
});

test("[E2] a name is new until it is paid for, and then no more", () => {
  const ledger = new Ledger(new FakeClock());
  expect(ledger.countNew("alice", ["a", "b", "a"])).toBe(2);
  expect(ledger.countNew("alice", ["a", "b"])).toBe(2);
  ledger.learn("alice", ["a", "b", "a"]);
  expect(ledger.countNew("alice", ["b", "c"])).toBe(1);
  expect(ledger.countNew("bob", ["a"])).toBe(1);
});

test("[I5] an isolate remembers so many names of a caller, and forgets the oldest first", () => {
  const ledger = new Ledger(new FakeClock());
  const names = Array.from({ length: MAX_KNOWN_NAMES }, (_, n) => `n${n}`);
  ledger.learn("alice", names);
  ledger.learn("alice", ["n0"]);
  ledger.learn("alice", ["more"]);
  expect(ledger.countNew("alice", ["n0", "more", "n2"])).toBe(0);
  expect(ledger.countNew("alice", ["n1"])).toBe(1);
});

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
])("[E2] the address %s counts for %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("[E2] quotas are told as structured fields", () => {
  const shown = {
    policy: "subject-bytes",
    unit: "content-bytes",
    limit: 100,
    remaining: -1,
    windowMs: DAY_MS,
    resetAt: 61_500,
  };
  expect(
    describeRateLimits(
      [shown, { ...shown, policy: "x", unit: undefined, windowMs: undefined, remaining: 7 }],
      1_000,
    ),
  ).toEqual({
    policy: '"subject-bytes";q=100;qu="content-bytes";w=86400, "x";q=100',
    limits: '"subject-bytes";r=0;t=61, "x";r=7;t=61',
  });
});

test("[E2] quotas are off on this machine unless they are set, and on for others unless they are 0", () => {
  const local = readQuotaSettings({ QUOTA_CONNECTIONS: "3" }, false);
  expect([...local.subject.most]).toEqual([["connections", 3]]);
  expect([local.subject.limits.size, local.address.limits.size]).toEqual([0, 0]);
  expect(local.address.most.size).toBe(0);
  const open = readQuotaSettings(
    { QUOTA_TOKENS_PER_DAY: "0", QUOTA_ADDRESS_CONNECTIONS: " ", MAX_RUNNING_GENERATIONS: "7" },
    true,
  );
  expect([...open.subject.limits.keys()]).toEqual(["requests", "publishes", "bytes", "names"]);
  expect([...open.subject.most.values()]).toEqual([200, 7]);
  expect([...open.address.most.values()]).toEqual([2_000, 200]);
});

test.each(["-1", "1.5", "many", "1e13"])("[E2] a quota of %s is refused by name", (value) => {
  expect(() => readQuotaSettings({ QUOTA_BYTES_PER_DAY: value }, true)).toThrow("misconfigured");
});

test("[E2] answers being written are limited for subjects and addresses, within bounds", () => {
  for (const name of ["MAX_RUNNING_GENERATIONS", "MAX_ADDRESS_RUNNING_GENERATIONS"]) {
    expect(() => readQuotaSettings({ [name]: "10000" }, true)).not.toThrow();
    expect(() => readQuotaSettings({ [name]: "10001" }, true)).toThrow("misconfigured");
    expect(() => readQuotaSettings({ [name]: "-1" }, true)).toThrow("misconfigured");
  }
  const off = { MAX_RUNNING_GENERATIONS: "0", MAX_ADDRESS_RUNNING_GENERATIONS: "0" };
  expect(readQuotaSettings(off, true).address.most.get("generations")).toBeUndefined();
});

test("[E2] where whoever counts cannot be asked, what is here of other quotas is kept", async () => {
  const clock = new FakeClock();
  const counters = new Counters(new MemorySql(), clock);
  const ledger = new Ledger(clock);
  const limit = { limit: 100, windowMs: DAY_MS };
  const requests = { ...limit, counter: "requests" as const, units: 10 };
  const bytes = { ...limit, counter: "bytes" as const, units: 1 };
  const take = async (wants: readonly Want[]) => counters.take(wants);
  const first = await ledger.spend("alice", [requests], take);
  ledger.giveBack("alice", { ...requests, resetAt: first.standings[0]?.resetAt ?? 0 });
  const fail = async () => await Promise.reject(new Error("down"));
  await expect(ledger.spend("alice", [requests, bytes], fail)).rejects.toThrow("down");
  const { standings } = await ledger.spend("alice", [requests], fail);
  expect(standings[0]?.remaining).toBe(90);
});

test("[E2] what was kept for a call that fails when the day is over is no part of the next day", async () => {
  const { clock, spend, ledger } = openLedger(100);
  const limit = { limit: 100, windowMs: DAY_MS };
  const requests = { ...limit, counter: "requests" as const, units: 60 };
  const bytes = { ...limit, counter: "bytes" as const, units: 1 };
  const { standings } = await spend(ledger, 60);
  ledger.giveBack("alice", { ...requests, resetAt: standings[0]?.resetAt ?? 0 });
  const answer = Promise.withResolvers<never>();
  const failing = ledger.spend("alice", [requests, bytes], () => answer.promise);
  await clock.advance(DAY_MS);
  await spend(ledger, 1);
  answer.reject(new Error("down"));
  await expect(failing).rejects.toThrow("down");
  expect((await spend(ledger, 1)).standings[0]?.remaining).toBe(98);
});
