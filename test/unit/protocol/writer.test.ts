import { Encoder } from "@msgpack/msgpack";
import { expect, test } from "vitest";
import { FieldWriter } from "../../../src/protocol/writer.ts";
import { toHex } from "./hex.ts";

const library = new Encoder();
const writer = new FieldWriter();

/** Both sides of each size of header. */
const SIZES = [0, 1, 15, 16, 31, 32, 127, 128, 255, 256, 65_535, 65_536];
const COUNTS = [...SIZES, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER];

test.each(COUNTS)("[P13] the count %d is written in its shortest form", (count) => {
  expect(toHex(writer.begin(1).count(count).end())).toBe(toHex(library.encode([count])));
});

test.each(SIZES)("[P13] a text of %d characters is written in its shortest form", (length) => {
  for (const character of ["x", "é", "本", "😀", "\u0000", "\u007f", "\u0080"]) {
    const text = character.repeat(length);
    const last = "x".repeat(Math.max(0, length - 1)) + character;
    const hex = toHex(writer.begin(2).text(text).text(last).end());
    expect(hex).toBe(toHex(library.encode([text, last])));
  }
});

test.each(SIZES)("[P13] an array of %d elements has the shortest header", (length) => {
  const element = library.encode("a");
  writer.begin(length);
  for (let nth = 0; nth < length; nth += 1) writer.raw(element);
  expect(toHex(writer.end())).toBe(toHex(library.encode(Array.from({ length }, () => "a"))));
});

test.each([-1, 1.5, Number.NaN, 2 ** 53])("[P13] %d is no count", (value) => {
  expect(() => writer.begin(1).count(value)).toThrow(RangeError);
});

test("[I7] what was written of a frame that was never ended is not in the next one", () => {
  writer.begin(3).text("lost").count(1);
  expect(toHex(writer.begin(1).count(2).end())).toBe("9102");
});

test("[I7] a frame keeps its bytes when others are written after it, however large they are", () => {
  const first = writer.begin(1).text("first").end();
  const large = writer
    .begin(1)
    .raw(new Uint8Array(3 * 2 ** 20).fill(1))
    .end();
  writer.begin(1).text("third").end();
  expect(toHex(first)).toBe(toHex(library.encode(["first"])));
  expect([large.length, large.at(-1), large.buffer.byteLength]).toEqual([
    3 * 2 ** 20 + 1,
    1,
    3 * 2 ** 20 + 1,
  ]);
});

test("[P13] what ends just before, at or beyond the end of the writer's memory is all written", () => {
  const nil = library.encode(null);
  for (let rest = -2; rest <= 45; rest += 1) {
    const filler = new Uint8Array(4 * 1024 - rest).fill(0xc0);
    for (const length of [0, 1, 31, 32, 40]) {
      const text = "x".repeat(length);
      // A writer of its own, which has not grown yet.
      const fresh = new FieldWriter();
      const hex = toHex(
        fresh
          .begin(3)
          .raw(filler)
          .text(text)
          .count(2 ** 40)
          .raw(nil)
          .end(),
      );
      const tail = `${toHex(library.encode(text))}${toHex(library.encode(2 ** 40))}c0`;
      expect(hex, `${rest} bytes before ${length} characters`).toBe(`93${toHex(filler)}${tail}`);
    }
  }
});
