import { expect, test } from "vitest";
import { type CounterName, Counters, type Want } from "../../../durable-objects/quota/counters.ts";
import { type Slot, Slots } from "../../../durable-objects/quota/slots.ts";
import { DAY_MS, SLOT_RECHECK_MS, SLOT_SETTLE_MS } from "../../../src/protocol/limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { note } from "../../support/note.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { chooseSeed, SeededRandom } from "../../support/seeded-random.ts";

const want = (units: number, rest: Partial<Want> = {}): Want => ({
  counter: "requests",
  limit: 10,
  windowMs: DAY_MS,
  units,
  ahead: 0,
  ...rest,
});

/** A quota of tokens, and a reservation of a minute. */
function tokensFrom(clock: FakeClock) {
  const limit = { counter: "tokens" as CounterName, limit: 100, windowMs: DAY_MS };
  return { ...limit, expected: 10, until: clock.now() + 60_000 };
}

/** A slot of a connection, unless it says something else. */
function slotOf(slot: Omit<Slot, "pool" | "group"> & Partial<Slot>): Slot {
  return { pool: "connections", group: slot.id, ...slot };
}

function openCounters(now?: number) {
  const clock = new FakeClock(now);
  const sql = new MemorySql();
  return { clock, sql, counters: new Counters(sql, clock), reopen: () => new Counters(sql, clock) };
}

test("[E2] a quota is used up exactly, and begins anew at midnight UTC", async () => {
  const { clock, counters } = openCounters(Date.UTC(2026, 5, 1, 23, 59));
  for (let n = 1; n <= 10; n += 1) {
    expect(counters.take([want(1)])).toMatchObject({ ok: true, grants: [{ remaining: 10 - n }] });
  }
  expect(counters.take([want(1)])).toEqual({
    ok: false,
    refused: {
      counter: "requests",
      limit: 10,
      windowMs: DAY_MS,
      remaining: 0,
      resetAt: Date.UTC(2026, 5, 2),
    },
  });
  await clock.advance(60_000);
  expect(counters.take([want(10)]).ok).toBe(true);
});

test("[E2] what was used survives the object, at one row a call", () => {
  const { sql, counters, reopen } = openCounters();
  const before = sql.rowsWritten;
  counters.take([want(4), want(7, { counter: "bytes" })]);
  expect(sql.rowsWritten - before).toBe(1);
  const again = reopen();
  expect(again.take([want(7)]).ok).toBe(false);
  expect(again.take([want(6)]).ok).toBe(true);
});

test("[E2] all that is wanted is given, or nothing", () => {
  const { counters } = openCounters();
  const bytes: Want = want(11, { counter: "bytes" });
  expect(counters.take([want(5), bytes])).toMatchObject({
    ok: false,
    refused: { counter: "bytes" },
  });
  expect(counters.take([want(10)]).ok).toBe(true);
});

test("[E2] a clock that goes back opens no window again", async () => {
  const { clock, sql, counters } = openCounters(Date.UTC(2026, 5, 2));
  counters.take([want(10)]);
  const earlier = new Counters(sql, new FakeClock(Date.UTC(2026, 5, 1, 23)));
  expect(earlier.take([want(1)]).ok).toBe(false);
  await clock.advance(DAY_MS);
  expect(counters.isOver).toBe(true);
});

test("[E2] never more is given than the limit, whatever is given ahead and brought back", async () => {
  const seed = chooseSeed();
  note(`seed ${seed}`);
  const random = new SeededRandom(seed);
  const { clock, counters } = openCounters();
  for (let day = 0; day < 20; day += 1) {
    const limit = random.between(1, 5_000);
    let used = 0;
    const leases: { units: number; resetAt: number }[] = [];
    for (let n = 0; n < 300; n += 1) {
      const returned = random.chance(0.5) ? leases.pop() : undefined;
      const units = random.between(1, 40);
      const verdict = counters.take([
        want(units, { limit, ahead: random.between(0, 200), returned }),
      ]);
      if (!verdict.ok) continue;
      for (const { granted, resetAt } of verdict.grants) {
        used += units;
        leases.push({ units: granted - units, resetAt });
      }
      const ahead = leases.reduce((sum, lease) => sum + lease.units, 0);
      expect(used + ahead).toBeLessThanOrEqual(limit);
    }
    await clock.advance(DAY_MS);
  }
});

test("[E2] tokens are held, settled once, and can pass the quota by one answer only", () => {
  const { clock, counters } = openCounters();
  const tokens = tokensFrom(clock);
  expect(counters.reserve("a", { ...tokens, units: 60 }).ok).toBe(true);
  expect(counters.reserve("b", { ...tokens, units: 60 }).ok).toBe(true);
  expect(counters.reserve("c", { ...tokens, units: 60 })).toMatchObject({
    ok: false,
    refused: { remaining: 0 },
  });
  counters.settle("a", "tokens", 10);
  counters.settle("a", "tokens", 0);
  counters.settle("unknown", "tokens", 1_000);
  expect(counters.reserve("c", { ...tokens, units: 5 })).toMatchObject({
    ok: true,
    grants: [{ remaining: 25 }],
  });
});

test("[E2] an answer that ends on another day is counted on the day that it began", async () => {
  const { clock, counters } = openCounters();
  const tokens = { ...tokensFrom(clock), until: clock.now() + 2 * DAY_MS };
  counters.reserve("a", { ...tokens, units: 60 });
  await clock.advance(DAY_MS);
  counters.reserve("b", { ...tokens, units: 10 });
  counters.settle("a", "tokens", 99);
  expect(counters.reserve("c", { ...tokens, units: 10 })).toMatchObject({
    grants: [{ remaining: 80 }],
  });
});

test("[E2] what is held for an answer whose end nobody tells is settled at what was to be expected", async () => {
  const { clock, counters, reopen } = openCounters(Date.UTC(2026, 5, 1, 8));
  const tokens = tokensFrom(clock);
  counters.reserve("lost", { ...tokens, units: 90, expected: 30 });
  counters.reserve("long", { ...tokens, units: 5, until: clock.now() + 120_000 });
  const left = () => counters.reserve("next", { ...tokensFrom(clock), units: 1 });
  await clock.advance(59_999);
  expect(left()).toMatchObject({ grants: [{ remaining: 100 - 90 - 5 - 1 }] });
  counters.settle("next", "tokens", 0);
  await clock.advance(1);
  expect(left()).toMatchObject({ grants: [{ remaining: 100 - 30 - 5 - 1 }] });
  // Once, and the one that is told in time counts what it took, also after the object was made anew.
  const again = reopen();
  again.settle("lost", "tokens", 0);
  again.settle("long", "tokens", 7);
  again.settle("next", "tokens", 0);
  expect(again.reserve("last", { ...tokensFrom(clock), units: 1 })).toMatchObject({
    grants: [{ remaining: 100 - 30 - 7 - 1 }],
  });
});

test("[E2] what is expected of an answer is never more than what is held for it", async () => {
  const { clock, counters } = openCounters(Date.UTC(2026, 5, 1, 8));
  counters.reserve("lost", { ...tokensFrom(clock), units: 10, expected: 99 });
  await clock.advance(DAY_MS / 4);
  expect(counters.reserve("next", { ...tokensFrom(clock), units: 1 })).toMatchObject({
    grants: [{ remaining: 89 }],
  });
});

test("[E2] slots are as many as the limit, and come back when they are given back", () => {
  const slots = new Slots(new MemorySql(), new FakeClock());
  const slot = (id: string) => slotOf({ id, kind: "room", name: "lobby", until: null });
  expect(["a", "b", "c"].map((id) => slots.take(slot(id), 2))).toEqual([true, true, false]);
  slots.release("a");
  slots.release("a");
  expect(slots.take(slot("c"), 2)).toBe(true);
  expect(slots.take(slot("d"), 2)).toBe(false);
  expect(slots.isEmpty).toBe(false);
});

test("[E2] slots that nobody gave back are asked about when they are old enough, and not too often", async () => {
  const clock = new FakeClock();
  const slots = new Slots(new MemorySql(), clock);
  slots.take(slotOf({ id: "a", kind: "topic", name: "news", until: null }), 9);
  slots.take(slotOf({ id: "b", kind: "answer", name: "", until: clock.now() + SLOT_SETTLE_MS }), 9);
  expect(slots.suspects("connections")).toEqual([]);
  await clock.advance(SLOT_SETTLE_MS);
  expect(slots.suspects("connections").map(({ id }) => id)).toEqual(["a"]);
  expect(slots.suspects("connections")).toEqual([]);
  await clock.advance(SLOT_RECHECK_MS);
  expect(slots.suspects("connections").map(({ id }) => id)).toEqual(["a"]);
  // One with an end needs nobody to be asked.
  expect(slots.take(slotOf({ id: "c", kind: "room", name: "lobby", until: null }), 2)).toBe(true);
  expect(slots.suspects("generations")).toEqual([]);
});

test("[E2] each pool has a limit of its own, and slots of one group count as one", () => {
  const sql = new MemorySql();
  const slots = new Slots(sql, new FakeClock());
  const writing = (id: string, group: string) =>
    slotOf({ id, group, pool: "generations", kind: "generation", name: group, until: null });
  expect(slots.take(slotOf({ id: "s", kind: "room", name: "lobby", until: null }), 1)).toBe(true);
  expect(slots.take(writing("1", "a"), 2)).toBe(true);
  expect(slots.take(writing("2", "b"), 2)).toBe(true);
  // The same answer, asked for again.
  expect(slots.take(writing("3", "a"), 2)).toBe(true);
  expect(slots.take(writing("4", "c"), 2)).toBe(false);
  slots.release("1");
  expect(slots.take(writing("4", "c"), 2)).toBe(false);
  // What was taken is known after the object was made anew.
  const again = new Slots(sql, new FakeClock());
  expect(again.take(writing("4", "c"), 2)).toBe(false);
  again.release("3");
  expect(again.take(writing("4", "c"), 2)).toBe(true);
  expect(again.take(slotOf({ id: "t", kind: "room", name: "lobby", until: null }), 1)).toBe(false);
});
