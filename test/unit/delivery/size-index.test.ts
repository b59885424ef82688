import fc from "fast-check";
import { expect, test } from "vitest";
import { SizeIndex } from "../../../durable-objects/delivery/size-index.ts";

interface Flush {
  readonly count: number;
  readonly bytes: number;
}

/** What the index should say: each entry of a flush has the same part of its bytes. */
function naive(head: number, flushes: readonly Flush[], seq: number): number {
  const sizes = flushes.flatMap(({ count, bytes }) => Array<number>(count).fill(bytes / count));
  return sizes.slice(0, Math.max(0, seq - head)).reduce((sum, size) => sum + size, 0);
}

test("[I5] the total at a position is that of all entries up to it", () => {
  const flush = fc.record({ count: fc.integer({ min: 1, max: 5 }), bytes: fc.nat(100) });
  fc.assert(
    fc.property(fc.nat(20), fc.array(flush, { maxLength: 30 }), (head, flushes) => {
      const index = new SizeIndex(head);
      let tail = head;
      for (const { count, bytes } of flushes) index.record((tail += count), bytes);
      for (let seq = head; seq <= tail; seq += 1) {
        expect(index.markAt(seq).seq).toBe(seq);
        expect(index.markAt(seq).total).toBeCloseTo(naive(head, flushes, seq), 6);
      }
      expect(index.total).toBe(index.markAt(tail).total);
    }),
    { numRuns: 100 },
  );
});

test("[I5] before the index's begin entries count alike from what is known", () => {
  const index = new SizeIndex(10, 1_000);
  index.record(12, 100);
  expect(index.markAt(4).total).toBe(1_000);
  expect(index.markAt(4, { seq: 0, total: 500 }).total).toBe(700);
  expect(index.markAt(0, { seq: 4, total: 500 }).total).toBe(500);
  expect(index.markAt(11, { seq: 0, total: 500 }).total).toBe(1_050);
});

test("[I5] the newest flushes are exact however many there were", () => {
  const index = new SizeIndex(0);
  const count = 20_000;
  for (let last = 1; last <= count; last += 1) index.record(last, last);
  for (const behind of [1, 2, 100, 2_047]) {
    const expected = Array.from({ length: behind }, (_, n) => count - n).reduce((a, b) => a + b, 0);
    expect(index.total - index.markAt(count - behind).total).toBe(expected);
  }
});

test("[I1][I5] an index that is taken up again counts as the one before", () => {
  const before = new SizeIndex(0);
  const flushes = [3, 5, 9].map((last, index) => ({
    first: [1, 4, 6][index] ?? 0,
    last,
    bytes: 10 * (index + 1),
  }));
  for (const { last, bytes } of flushes) before.record(last, bytes);
  const after = new SizeIndex(9, before.total);
  after.restore(flushes.slice(1));
  for (let seq = 3; seq <= 9; seq += 1) expect(after.markAt(seq)).toEqual(before.markAt(seq));
});

test("[I4] a log that begins anew counts anew", () => {
  const index = new SizeIndex(7, 70);
  index.record(9, 20);
  index.restart(0);
  index.record(2, 8);
  expect(index.markAt(1).total).toBe(4);
  expect(index.total).toBe(8);
});
