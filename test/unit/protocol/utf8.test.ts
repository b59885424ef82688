import { expect, test } from "vitest";
import { isUtf8 } from "../../../src/protocol/utf8.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

test("[P9] every pair of first bytes is judged as the platform does, whatever follows the end", () => {
  // The third and fourth bytes are always good; how many of them count, decides.
  const bytes = Uint8Array.of(0, 0, 0x80, 0xbf, 0x80, 0x80);
  const wrong: string[] = [];
  for (let first = 0; first < 256; first += 1) {
    for (let second = 0; second < 256; second += 1) {
      bytes[0] = first;
      bytes[1] = second;
      for (let length = 1; length <= 4; length += 1) {
        if (isUtf8(bytes, 0, length) !== platform(bytes.subarray(0, length))) {
          wrong.push(`${first} ${second} ${length}`);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});

test.each([2, 3])("[P9] byte %d of a character must continue it", (position) => {
  for (let byte = 0; byte < 256; byte += 1) {
    const bytes = Uint8Array.of(0xf1, 0x80, 0x80, 0x80);
    bytes[position] = byte;
    expect(isUtf8(bytes, 0, 4)).toBe(byte >= 0x80 && byte <= 0xbf);
  }
});

function platform(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
