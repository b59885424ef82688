import fc from "fast-check";
import { expect, test } from "vitest";
import { SizeIndex } from "../../../durable-objects/delivery/size-index.ts";

interface Flush {
  readonly count: number;
  readonly bytes: number;
}

/** What the index should say: the bytes of all flushes that overlap the positions. */
function naive(head: number, flushes: readonly Flush[], after: number, to: number): number {
  let first = head + 1;
  let sum = 0;
  for (const { count, bytes } of flushes) {
    const last = first + count - 1;
    if (last > after && first <= to) sum += bytes;
    first = last + 1;
  }
  return sum;
}

test("[I5] bytes between two positions are those of all flushes that touch them", () => {
  const flush = fc.record({ count: fc.integer({ min: 1, max: 5 }), bytes: fc.nat(100) });
  fc.assert(
    fc.property(fc.nat(20), fc.array(flush, { maxLength: 30 }), (head, flushes) => {
      const index = new SizeIndex(head);
      let tail = head;
      for (const { count, bytes } of flushes) index.record((tail += count), bytes);
      for (let after = head; after <= tail; after += 1) {
        for (let to = after + 1; to <= tail; to += 1) {
          expect(index.between(after, to)).toBe(naive(head, flushes, after, to));
        }
        expect(index.between(after, tail)).toBe(naive(head, flushes, after, tail));
      }
    }),
    { numRuns: 100 },
  );
});

test("[I5] what lies before the index's begin counts nothing", () => {
  const index = new SizeIndex(10);
  expect(index.between(0, 10)).toBe(0);
  index.record(12, 100);
  expect(index.between(0, 10)).toBe(0);
  expect(index.between(0, 12)).toBe(100);
});

test("[I5] the newest flushes are exact however many there were", () => {
  const index = new SizeIndex(0);
  const count = 20_000;
  for (let last = 1; last <= count; last += 1) index.record(last, last);
  for (const behind of [1, 2, 100, 2_047]) {
    const expected = Array.from({ length: behind }, (_, n) => count - n).reduce((a, b) => a + b, 0);
    expect(index.between(count - behind, count)).toBe(expected);
  }
});

test("[I5] an index that is taken up again counts as the one before", () => {
  const before = new SizeIndex(0);
  const flushes = [3, 5, 9].map((last, index) => ({
    first: [1, 4, 6][index] ?? 0,
    last,
    bytes: 10 * (index + 1),
  }));
  for (const { last, bytes } of flushes) before.record(last, bytes);
  const after = new SizeIndex(9);
  after.restore(flushes);
  for (let from = 0; from <= 9; from += 1) {
    expect(after.between(from, 9)).toBe(before.between(from, 9));
  }
});

test("[I5] what was trimmed in a sleep counts for those who remember the total before it", () => {
  const before = new SizeIndex(0);
  for (const last of [1, 2, 3]) before.record(last, 100);
  const remembered = before.totalAt(1);
  const after = new SizeIndex(3, 300);
  after.restore([{ first: 3, last: 3, bytes: 100 }]);
  expect(after.between(1, 3)).toBe(100);
  expect(after.between(1, 3, remembered)).toBe(200);
  // An index that knows more than was known then is believed.
  expect(before.between(1, 3, 250)).toBe(200);
});
