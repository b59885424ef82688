/** What changes of documents mean to the server. */
import { Doc, encodeStateAsUpdate, encodeStateAsUpdateV2 } from "yjs";
import { expect, test } from "vitest";
import { compact } from "../../../durable-objects/document/compact.ts";
import {
  isDeletion,
  isUpdate,
  join,
  joinAll,
  NOTHING,
} from "../../../durable-objects/document/update.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
import { textOf, type Writer, writer } from "../../support/writer.ts";

/** What a writer does, as updates. */
function updatesOf(write: (writer: Writer) => void): readonly Uint8Array[] {
  const one = writer();
  write(one);
  return one.updates;
}

test("[W7] changes are joined in any order, any number of times, and however many they are", () => {
  const updates = updatesOf(({ text }) => {
    text.insert(0, "Hello");
    text.insert(5, " world");
    text.delete(0, 1);
    text.insert(0, "J");
    for (let n = 0; n < 1_000; n += 1) text.insert(text.length, "!");
  });
  const text = `Jello world${"!".repeat(1_000)}`;
  const once = join(updates);
  expect(textOf(once)).toBe(text);
  expect(textOf(join([join(updates.toReversed()), once, ...updates]))).toBe(text);
  expect(join([once])).toEqual(once);
  expect(join([])).toEqual(NOTHING);
});

test("[W7] what arrives before what it builds on waits", () => {
  const [first, second] = updatesOf(({ text }) => {
    text.insert(0, "a");
    text.insert(1, "b");
  });
  if (first === undefined || second === undefined) throw new Error("two changes are two updates");
  const early = join([second]);
  expect(textOf(early)).toBe("");
  expect(textOf(join([early, first]))).toBe("ab");
});

test("[W7] made smaller, a document is the same, and what was deleted is forgotten", () => {
  const updates = updatesOf(({ text }) => {
    for (let n = 0; n < 1_000; n += 1) text.insert(text.length, "x");
    text.insert(0, "secret".repeat(1_000));
    text.delete(0, 6_000);
  });
  const whole = join(updates);
  const smaller = compact(updates) ?? NOTHING;
  expect(textOf(smaller)).toBe("x".repeat(1_000));
  expect(whole.byteLength).toBeGreaterThan(14_000);
  expect(smaller.byteLength).toBeLessThan(1_200);
  expect(compact([smaller])).toBeUndefined();
  expect(compact([Uint8Array.of(1, 2, 3)])).toBeUndefined();
});

test("[W7] an update that only takes away is known", () => {
  const [insertion, deletion] = updatesOf(({ text }) => {
    text.insert(0, "a");
    text.delete(0, 1);
  });
  expect([insertion, deletion].map((update) => isDeletion(update ?? NOTHING))).toEqual([
    false,
    true,
  ]);
});

test("[W7][W4] what is no update is known; an update that was damaged takes no others along", () => {
  const updates = updatesOf(({ doc, text }) => {
    text.insert(0, "Hello");
    doc.getMap("map").set("key", { deep: [1, 2, "three"] });
    doc.getArray("list").push([1, 2, 3]);
    text.format(0, 2, { bold: true });
    text.delete(1, 2);
  });
  const [own = NOTHING] = updatesOf(({ text }) => text.insert(0, "own"));
  const seed = 20_261_123;
  const random = new SeededRandom(seed);
  let readable = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const victim = updates[random.between(0, updates.length - 1)]?.slice() ?? NOTHING;
    const bytes = victim.subarray(0, random.between(1, victim.length));
    for (let n = random.between(0, 3); n > 0; n -= 1) {
      bytes[random.between(0, bytes.length - 1)] = random.between(0, 255);
    }
    if (!isUpdate(bytes)) continue;
    readable += 1;
    // Whatever it does to what it was made of, it can be joined, and what others say is there.
    const joined = join([bytes, ...updates, own]);
    expect(isUpdate(joined), `seed ${seed}, round ${round}`).toBe(true);
    expect(textOf(join([bytes, own])), `seed ${seed}, round ${round}`).toContain("own");
  }
  expect(readable).toBeGreaterThan(100);
});

test("[W7][W4] what Yjs would merge into a state that nobody can read is no update", () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  const one = [1, 1, 7, 0];
  // Nothing that is nothing long, that ends where numbers are no longer exact, or that builds on what follows it.
  const broken = [
    [...one, 0, 0, 0],
    [1, 2, 7, 0, 0, 0, 0, 0, 0],
    [1, 2, 7, 0, 0, ...huge, 0, ...huge, 0],
    [1, 1, 7, ...huge, 0, 1, 0],
    [0, 1, 7, 1, 0, 0],
    [0, 1, 7, 1, 1, ...huge],
    [0, 1, 7, 2, 0, 5, 3, 1],
    [1, 1, 7, 5, 0x46, 7, 12, 1, 0x62, 1, 0x31, 0],
    // Writers that are not in their order, and one who comes twice.
    [2, 1, 1, 0, 0, 1, 1, 5, 0xe8, 7, 0, 1, 0],
    [2, 1, 5, 0, 0, 1, 1, 5, 0xe8, 7, 0, 1, 0],
  ].map((bytes) => Uint8Array.from(bytes));
  expect(broken.map(isUpdate)).toEqual(broken.map(() => false));
  expect(isUpdate(Uint8Array.from([...one, 0, ...huge, 0]))).toBe(true);
});

test("[W7][W4] what is nested deeper than anybody reads is no update", () => {
  /** A list in a list, so often. */
  const nested = (levels: number): unknown => {
    let value: unknown = [];
    for (let n = 1; n < levels; n += 1) value = [value];
    return value;
  };
  const updateOf = (levels: number): Uint8Array => {
    const [update = NOTHING] = updatesOf(({ doc }) => doc.getMap("map").set("key", nested(levels)));
    return update;
  };
  expect([1, 63, 64, 1_000].map((levels) => isUpdate(updateOf(levels)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test("[W7][I2] what cannot be joined is kept as it is", () => {
  const [update = NOTHING] = updatesOf(({ text }) => text.insert(0, "kept"));
  const broken = Uint8Array.of(1, 2, 3);
  expect(joinAll([update, broken, update])).toContain(broken);
  expect(textOf(...joinAll([update, broken, update]).filter((one) => one !== broken))).toBe("kept");
  expect(() => join([update, broken])).toThrow();
});

test("[W7][I2] what would lose a writer's words is not made smaller", () => {
  const [first = NOTHING] = updatesOf(({ text }) => text.insert(0, "x".repeat(1_000)));
  // Two sections of one writer: whoever reads it takes the last one only.
  const torn = Uint8Array.from([2, 1, 5, 0, 0, 1, 1, 5, 0xe8, 7, 0, 1, 0]);
  expect(compact([first, first])).toEqual(first);
  expect(compact([first, torn, first])).toBeUndefined();
});

test("[W7] nothing is an update, too", () => {
  expect(isUpdate(NOTHING)).toBe(true);
  expect(encodeStateAsUpdate(new Doc())).toEqual(NOTHING);
  const { doc, text } = writer();
  text.insert(0, "format 2");
  expect(isUpdate(encodeStateAsUpdateV2(doc))).toBe(false);
  expect(
    [new Uint8Array(), Uint8Array.of(1), new TextEncoder().encode("text")].map(isUpdate),
  ).toEqual([false, false, false]);
});
