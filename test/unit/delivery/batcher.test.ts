import fc from "fast-check";
import { expect, test } from "vitest";
import { Batcher } from "../../../durable-objects/delivery/batcher.ts";
import { FakeClock } from "../../support/fake-clock.ts";

function setUp(maxBytes = 100): {
  clock: FakeClock;
  batcher: Batcher<string>;
  flushed: { readonly items: readonly string[]; readonly at: number }[];
} {
  const clock = new FakeClock(1_000);
  const flushed: { items: readonly string[]; at: number }[] = [];
  const batcher = new Batcher<string>({
    clock,
    delayMs: 8,
    maxBytes,
    flush: (items) => flushed.push({ items, at: clock.now() }),
  });
  return { clock, batcher, flushed };
}

test("[P2] who is alone waits for nobody and leaves no timer behind", async () => {
  const { clock, batcher, flushed } = setUp();
  batcher.add("a", 1);
  expect(flushed).toEqual([{ items: ["a"], at: 1_000 }]);
  await clock.advance(8);
  expect(clock.armed).toBe(0);
  batcher.add("b", 1);
  expect(flushed).toHaveLength(2);
  await clock.advance(8);
  expect(clock.armed).toBe(0);
  expect(flushed).toHaveLength(2);
});

test("[P2] under load what follows leaves together, and in its order", async () => {
  const { clock, batcher, flushed } = setUp();
  batcher.add("a", 1);
  await clock.advance(2);
  batcher.add("b", 1);
  batcher.add("c", 2);
  expect(batcher.pending).toBe(2);
  expect(batcher.pendingBytes).toBe(3);
  await clock.advance(6);
  expect(flushed.slice(1)).toEqual([{ items: ["b", "c"], at: 1_008 }]);
  await clock.advance(8);
  expect(clock.armed).toBe(0);
});

test("[P2] what comes while a flush keeps the event loop busy is not the first after a pause", () => {
  let now = 0;
  const timers: (() => void)[] = [];
  const flushed: (readonly string[])[] = [];
  const batcher = new Batcher<string>({
    clock: {
      now: () => now,
      after: (_ms, task) => {
        timers.push(task);
        return () => undefined;
      },
    },
    delayMs: 8,
    maxBytes: 100,
    flush: (items) => flushed.push(items),
  });
  batcher.add("a", 1);
  // Sending took so long that the delay is over before any timer had its turn.
  now = 30;
  batcher.add("b", 1);
  batcher.add("c", 1);
  expect(flushed).toEqual([["a"]]);
  timers[0]?.();
  expect(flushed).toEqual([["a"], ["b", "c"]]);
});

test("[P2] where flushes are costly, a timer that comes very late is no pause either", () => {
  let now = 0;
  let isCostly = true;
  const timers: (() => void)[] = [];
  const flushed: (readonly string[])[] = [];
  const batcher = new Batcher<string>({
    clock: {
      now: () => now,
      after: (_ms, task) => {
        timers.push(task);
        return () => undefined;
      },
    },
    delayMs: 8,
    maxBytes: 100,
    flush: (items) => flushed.push(items),
    isCostly: () => isCostly,
  });
  batcher.add("a", 1);
  now = 30;
  timers.shift()?.();
  // Those who publish were kept waiting by the same busy loop.
  batcher.add("b", 1);
  batcher.add("c", 1);
  expect(flushed).toEqual([["a"]]);
  now = 38;
  timers.shift()?.();
  expect(flushed).toEqual([["a"], ["b", "c"]]);
  now = 47;
  timers.shift()?.();
  expect(timers).toEqual([]);
  batcher.add("d", 1);
  expect(flushed.at(-1)).toEqual(["d"]);
  // Where they are not, who is alone waits for nobody, however busy the machine is.
  isCostly = false;
  now = 90;
  timers.shift()?.();
  expect(timers).toEqual([]);
});

test("[P2] a frame's worth leaves before its time", async () => {
  const { clock, batcher, flushed } = setUp(10);
  batcher.add("a", 1);
  batcher.add("b", 9);
  expect(batcher.pending).toBe(1);
  batcher.add("c", 1);
  expect(flushed.at(-1)).toEqual({ items: ["b", "c"], at: 1_000 });
  await clock.advance(8);
  expect(clock.armed).toBe(0);
});

test("[P2] nothing is flushed when nothing waits, and nothing after the end", async () => {
  const { clock, batcher, flushed } = setUp();
  batcher.flush();
  expect(flushed).toEqual([]);
  batcher.add("a", 1);
  batcher.add("b", 1);
  batcher[Symbol.dispose]();
  expect(clock.armed).toBe(0);
  await clock.advance(100);
  expect(flushed).toHaveLength(1);
});

test("[P2] what is added while a batch leaves waits for the next", async () => {
  const clock = new FakeClock();
  const flushed: (readonly number[])[] = [];
  const batcher: Batcher<number> = new Batcher<number>({
    clock,
    delayMs: 8,
    maxBytes: 100,
    flush: (items) => {
      flushed.push(items);
      if (flushed.length === 1) batcher.add(2, 1);
    },
  });
  batcher.add(1, 1);
  expect(flushed).toEqual([[1]]);
  await clock.advance(8);
  expect(flushed).toEqual([[1], [2]]);
});

test("[P2] no item waits longer than the delay, none is lost, none overtakes", async () => {
  const steps = fc.array(fc.record({ pause: fc.nat(12), bytes: fc.integer({ min: 1, max: 40 }) }));
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const { clock, batcher, flushed } = setUp();
      const added: number[] = [];
      for (const [index, { pause, bytes }] of steps.entries()) {
        await clock.advance(pause);
        added.push(clock.now());
        batcher.add(String(index), bytes);
      }
      await clock.advance(16);
      expect(clock.armed).toBe(0);
      const items = flushed.flatMap(({ items, at }) => items.map((item) => ({ item, at })));
      expect(items.map(({ item }) => item)).toEqual(steps.map((_, index) => String(index)));
      for (const [index, { at }] of items.entries()) {
        expect(at - (added[index] ?? 0)).toBeLessThanOrEqual(8);
      }
    }),
    { numRuns: 60 },
  );
});

test("[P2] what is held leaves together, at once after a pause and with its company under load", async () => {
  const { clock, batcher, flushed } = setUp();
  for (const item of ["a", "b"]) batcher.hold(item, 1);
  expect(flushed).toEqual([]);
  batcher.settle();
  expect(flushed).toEqual([{ items: ["a", "b"], at: 1_000 }]);
  for (const item of ["c", "d"]) batcher.hold(item, 1);
  batcher.settle();
  batcher.add("e", 1);
  expect(flushed).toHaveLength(1);
  await clock.advance(8);
  expect(flushed.slice(1)).toEqual([{ items: ["c", "d", "e"], at: 1_008 }]);
});

test("[P2] a flush of nothing does not end the pause after the one before", async () => {
  const { clock, batcher, flushed } = setUp();
  batcher.add("a", 1);
  batcher.flush();
  batcher.add("b", 1);
  expect(flushed).toHaveLength(1);
  await clock.advance(8);
  expect(flushed.slice(1)).toEqual([{ items: ["b"], at: 1_008 }]);
});

test("[P2] while a flush is under way what is said waits for what is left of the delay", async () => {
  const clock = new FakeClock(1_000);
  const flushed: { items: readonly string[]; at: number }[] = [];
  let isUnderWay = true;
  const batcher = new Batcher<string>({
    clock,
    delayMs: 8,
    maxBytes: 100,
    flush: (items) => flushed.push({ items, at: clock.now() }),
    isUnderWay: () => isUnderWay,
  });
  const leave = (): void => {
    isUnderWay = false;
    batcher.left();
    isUnderWay = true;
  };
  batcher.add("a", 1);
  expect(clock.armed).toBe(0);
  await clock.advance(3);
  batcher.add("b", 1);
  expect(flushed).toHaveLength(1);
  leave();
  await clock.advance(4);
  expect(flushed).toHaveLength(1);
  await clock.advance(1);
  expect(flushed.slice(1)).toEqual([{ items: ["b"], at: 1_008 }]);

  // Longer than the delay: then nothing is left of it.
  await clock.advance(20);
  batcher.add("c", 1);
  leave();
  await clock.advance(0);
  expect(flushed.slice(2)).toEqual([{ items: ["c"], at: 1_028 }]);

  // A frame's worth does not wait.
  batcher.add("d", 100);
  expect(flushed.slice(3)).toEqual([{ items: ["d"], at: 1_028 }]);
  leave();
  await clock.advance(8);
  expect(clock.armed).toBe(0);
  batcher.left();
  expect(clock.armed).toBe(0);
});

test("[I7] a flush that fails takes nothing from what is said after it", async () => {
  const clock = new FakeClock(1_000);
  const flushed: (readonly string[])[] = [];
  const batcher = new Batcher<string>({
    clock,
    delayMs: 8,
    maxBytes: 100,
    flush: (items) => {
      flushed.push(items);
      if (flushed.length === 1) throw new Error("the disk is full");
    },
  });
  expect(() => {
    batcher.add("a", 1);
  }).toThrow("the disk is full");
  batcher.add("b", 1);
  await clock.advance(8);
  expect(flushed).toEqual([["a"], ["b"]]);
});

test("[P2] a flush that begins while another is under way is waited for like any other", async () => {
  const clock = new FakeClock(1_000);
  const flushed: { items: readonly string[]; at: number }[] = [];
  let isUnderWay = false;
  const batcher: Batcher<string> = new Batcher<string>({
    clock,
    delayMs: 8,
    maxBytes: 100,
    flush: (items) => {
      flushed.push({ items, at: clock.now() });
      // As delivery does it: what is under way leaves first, and that is told.
      if (isUnderWay) batcher.left();
      isUnderWay = true;
    },
    isUnderWay: () => isUnderWay,
  });
  batcher.add("a", 1);
  batcher.add("b", 100);
  batcher.add("c", 1);
  await clock.advance(20);
  expect(flushed.map(({ items }) => items)).toEqual([["a"], ["b"]]);
  isUnderWay = false;
  batcher.left();
  await clock.advance(0);
  expect(flushed.slice(2)).toEqual([{ items: ["c"], at: 1_020 }]);
});

test("[P2] the pause after the flush before does not cut one that is under way", async () => {
  const clock = new FakeClock(1_000);
  const flushed: (readonly string[])[] = [];
  let isUnderWay = false;
  const batcher = new Batcher<string>({
    clock,
    delayMs: 8,
    maxBytes: 100,
    flush: (items) => flushed.push(items),
    isUnderWay: () => isUnderWay,
  });
  batcher.add("a", 1);
  isUnderWay = true;
  batcher.add("b", 100);
  batcher.add("c", 1);
  await clock.advance(8);
  expect(flushed).toEqual([["a"], ["b"]]);
});
