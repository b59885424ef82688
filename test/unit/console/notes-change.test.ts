/** What is typed into the console's notes becomes the smallest change. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { endOf, smallestChange } from "../../../public/console/room/notes/change.js";

test.each([
  ["typed at the end", "ab", "abc", 3, { at: 2, removed: 0, inserted: "c" }],
  ["typed among equals", "aaaa", "aaaaa", 2, { at: 1, removed: 0, inserted: "a" }],
  ["deleted among equals", "aaaa", "aaa", 1, { at: 1, removed: 1, inserted: "" }],
  ["pasted over", "one two six", "one four six", 8, { at: 4, removed: 3, inserted: "four" }],
  ["pasted over by more of the same", "abab", "ababab", 4, { at: 2, removed: 0, inserted: "ab" }],
  ["removed far from the caret", "abcdef", "def", 3, { at: 0, removed: 3, inserted: "" }],
  ["everything removed", "abc", "", 0, { at: 0, removed: 3, inserted: "" }],
  ["halves of characters", "a😀b", "a😁b", 3, { at: 1, removed: 2, inserted: "😁" }],
  ["halves at the other end", "a😀b", "a🨀b", 3, { at: 1, removed: 2, inserted: "🨀" }],
  ["one of two", "😀😀", "😀", 2, { at: 2, removed: 2, inserted: "" }],
] as const)("[W7] %s", (_, before, after, caret, change) => {
  expect(smallestChange(before, after, caret)).toEqual(change);
});

test("[W7] nothing is no change", () => {
  expect(smallestChange("abc", "abc", 1)).toBeUndefined();
  expect(smallestChange("", "")).toBeUndefined();
});

/** Few letters, so that much is the same; and characters that share a half. */
const text = fc.array(fc.constantFrom("a", "b", "\n", "😀", "😁", "🨀", "\uD83D", "\uDE00"), {
  maxLength: 12,
});

/** Whether a place is between two halves of a character. */
function isInside(whole: string, at: number): boolean {
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(whole.slice(Math.max(0, at - 1), at + 1));
}

test("[W7] a change makes one text of the other, parts no character, and is as small as it can be", () => {
  fc.assert(
    fc.property(text, text, fc.nat(24), (one, other, place) => {
      const [before, after] = [one.join(""), other.join("")];
      const change = smallestChange(before, after, Math.min(place, after.length));
      if (before === after) {
        expect(change).toBeUndefined();
        return;
      }
      const { at, removed, inserted } = change ?? { at: 0, removed: 0, inserted: "" };
      expect(before.slice(0, at) + inserted + before.slice(at + removed)).toBe(after);
      const ends = [
        [before, at],
        [after, at],
        [before, at + removed],
        [after, at + inserted.length],
      ] as const;
      for (const [whole, end] of ends) expect(isInside(whole, end)).toBe(false);
      const anywhere = smallestChange(before, after) ?? change;
      expect(inserted.length + removed).toBeLessThanOrEqual(
        (anywhere?.inserted.length ?? 0) + (anywhere?.removed ?? 0) + 2,
      );
    }),
    { numRuns: 20_000 },
  );
});

test("[W7] the end of a change that Yjs tells is where its last piece ends", () => {
  expect(endOf([{ retain: 3 }, { insert: "ab" }])).toBe(5);
  expect(endOf([{ retain: 3 }, { delete: 2 }] as never)).toBe(3);
  expect(endOf([{ insert: "a" }, { retain: 4 }, { delete: 1 }, { insert: "xyz" }] as never)).toBe(
    8,
  );
});
