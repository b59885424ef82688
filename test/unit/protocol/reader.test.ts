import { Encoder } from "@msgpack/msgpack";
import { expect, test } from "vitest";
import { FieldReader } from "../../../src/protocol/reader.ts";
import { WalkError } from "../../../src/protocol/walk.ts";

const library = new Encoder();

/** Both sides of each size of header. */
const SIZES = [0, 1, 7, 8, 30, 31, 32, 255, 256];

test.each(SIZES)("[P13] a text of %d characters is read as it was written", (length) => {
  for (const character of ["x", "\u0000", "\u007f", "\u0080", "é", "本", "😀"]) {
    for (const text of [character.repeat(length), "x".repeat(length) + character]) {
      const reader = new FieldReader(library.encode(text));
      expect(reader.text()).toBe(text);
      expect(reader.done).toBe(true);
    }
  }
});

test("[P13] a short text that is no UTF-8, or is cut off, is refused, and nothing of it is read", () => {
  for (const bytes of [
    [0xa1, 0x80],
    [0xa2, 0x61, 0xff],
    [0xa3, 0xed, 0xa0, 0x80],
    [0xa2, 0x61],
    [0xa1],
  ]) {
    const reader = new FieldReader(Uint8Array.from(bytes));
    expect(() => reader.text()).toThrow(WalkError);
    expect(reader.offset).toBe(0);
  }
});
