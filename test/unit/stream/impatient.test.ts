import { expect, test } from "vitest";
import { impatient } from "../../../src/stream/impatient.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** Numbers, and whether anybody still holds their source. */
function openNumbers(count = Number.POSITIVE_INFINITY) {
  const clock = new FakeClock();
  const seen = { isOpen: false, ended: 0 };
  async function* numbers(): AsyncGenerator<number, void, undefined> {
    seen.isOpen = true;
    try {
      for (let n = 0; n < count; n += 1) yield n;
      if (count === 3) throw new Error("broke");
    } finally {
      seen.isOpen = false;
    }
  }
  const ended = (): void => {
    seen.ended += 1;
  };
  return {
    clock,
    seen,
    read: impatient(numbers(), { clock, patienceMs: 1_000, tooLate: () => -1, ended }),
  };
}

test("[B3][I7] who reads in time gets everything, and then nothing is held", async () => {
  const { clock, seen, read } = openNumbers(2);
  const items = [];
  for await (const item of read) {
    items.push(item);
    await clock.advance(999);
  }
  expect(items).toEqual([0, 1]);
  expect([seen, clock.armed]).toEqual([{ isOpen: false, ended: 1 }, 0]);
});

test("[B3][I6] who stops reading is given up, holds what it holds, and is told if it reads on", async () => {
  const { clock, seen, read } = openNumbers();
  await read.next();
  await clock.advance(1_000);
  expect([seen, clock.armed]).toEqual([{ isOpen: false, ended: 0 }, 0]);
  expect([await read.next(), seen.ended]).toEqual([{ done: false, value: -1 }, 1]);
  expect([await read.next(), clock.armed]).toEqual([{ done: true, value: undefined }, 0]);
  await read.return?.();
  expect(seen.ended).toBe(1);
});

test("[B3][I7] who never begins is given up, too; and ends when it goes", async () => {
  const { clock, seen, read } = openNumbers();
  await clock.advance(1_000);
  expect([seen.ended, clock.armed]).toEqual([0, 0]);
  await read.return?.();
  expect(seen).toEqual({ isOpen: false, ended: 1 });
});

test("[I7] nothing is held by who leaves early, and by what breaks", async () => {
  const left = openNumbers();
  for await (const _ of left.read) break;
  expect([left.seen, left.clock.armed]).toEqual([{ isOpen: false, ended: 1 }, 0]);
  const broken = openNumbers(3);
  const readAll = async (): Promise<void> => {
    for await (const _ of broken.read);
  };
  await expect(readAll()).rejects.toThrow("broke");
  expect([broken.seen, broken.clock.armed]).toEqual([{ isOpen: false, ended: 1 }, 0]);
});
