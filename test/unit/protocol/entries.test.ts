import { describe, expect, test } from "vitest";
import { concat } from "../../../src/protocol/bytes.ts";
import {
  encodeDeliver,
  encodeEntry,
  encodeMail,
  encodeMailEntry,
} from "../../../src/protocol/encode-server-frame.ts";
import { entriesLength, readEntries } from "../../../src/protocol/entries.ts";
import { parseClientFrame } from "../../../src/protocol/parse-client-frame.ts";
import { parseServerFrame } from "../../../src/protocol/parse-server-frame.ts";
import { comparePositions } from "../../../src/protocol/position.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { WalkError } from "../../../src/protocol/walk.ts";
import { fromHex, toHex } from "./hex.ts";

const entryOf = (n: number) => ({
  sender: n % 3 === 0 ? "" : `m${n}`,
  at: 1_790_000_000_000 + n,
  event: "tick",
  payload: { n, text: "x".repeat(n % 50) },
  id: `id-${n}`,
});

describe("entries", () => {
  // Both sides of each size of array header.
  test.each([0, 1, 15, 16, 1000, 65_535, 65_536])(
    "[P40] a frame of %d entries is their concatenation behind a header",
    (count) => {
      const entry = entryOf(1);
      const one = encodeEntry({ ...entry, payload: encodeValue(null) });
      // Above the size of a real frame only the header is looked at.
      const frame = encodeDeliver(2 ** 40, count, count > 1000 ? one : repeat(one, count));
      if (count > 1000) {
        expect(toHex(frame.subarray(11, 16))).toMatch(count === 65_535 ? /^dcffff/ : /^dd00010000/);
      } else {
        const parsed = parseServerFrame(frame);
        expect(parsed).toMatchObject({ kind: "deliver", first: 2 ** 40 });
        expect(parsed?.kind === "deliver" && parsed.entries.length).toBe(count);
      }
    },
  );

  test.each([
    [15, "93110a9f"],
    [16, "93110adc0010"],
  ])("the header of %d entries is the shortest", (count, hex) => {
    expect(toHex(encodeDeliver(10, count, new Uint8Array()))).toBe(hex);
  });

  test("[P13] a payload goes from a publisher to a receiver as the same bytes", () => {
    // Odd but valid: long headers, a float, 64 bits for 1.
    const payload = "dc0003ca3f800000cf0000000000000001d90161";
    const frame = parseClientFrame(fromHex(`9402a26131a463686174${payload}`));
    if (frame.kind !== "publish") throw new Error(frame.kind);
    const entry = encodeEntry({ ...entryOf(1), payload: frame.payload });
    expect(toHex(encodeDeliver(1, 1, entry))).toContain(payload);
    expect([...readEntries(entry)].map((read) => toHex(read.payload))).toEqual([payload]);
  });

  test("a stored blob gives its entries back, and any tail of them", () => {
    const entries = Array.from({ length: 40 }, (_, n) => entryOf(n));
    const raws = entries.map((entry) => ({ ...entry, payload: encodeValue(entry.payload) }));
    const blob = concat(raws.map((entry) => encodeEntry(entry)));
    expect([...readEntries(blob)]).toEqual(raws);
    for (const skip of [0, 1, 17, 40]) {
      const tail = blob.subarray(entriesLength(blob, skip));
      expect([...readEntries(tail)]).toEqual(raws.slice(skip));
    }
    expect(() => entriesLength(blob, 41)).toThrow(WalkError);
  });

  test("damaged storage is an error, not an entry", () => {
    const blob = encodeEntry({ ...entryOf(4), payload: encodeValue(1) });
    expect(() => [...readEntries(blob.subarray(0, -1))]).toThrow(WalkError);
    // Four fields where five belong, and a string after them.
    expect(() => [...readEntries(Uint8Array.of(0x94, ...blob.subarray(1)))]).toThrow(WalkError);
  });

  test("[P61] mail", () => {
    const mail = [3, 9].map((n) => ({ ...entryOf(n), mail: n }));
    const blob = concat(
      mail.map((entry) => encodeMailEntry({ ...entry, payload: encodeValue(entry.payload) })),
    );
    expect(parseServerFrame(encodeMail(2, blob))).toEqual({ kind: "mail", entries: mail });
  });
});

describe("[P18] positions", () => {
  test("have an order within an epoch only", () => {
    const at = (epoch: string, seq: number) => ({ epoch, seq });
    expect(comparePositions(at("a", 1), at("a", 2))).toBeLessThan(0);
    expect(comparePositions(at("a", 3), at("a", 2))).toBeGreaterThan(0);
    expect(comparePositions(at("a", 2), at("a", 2))).toBe(0);
    expect(comparePositions(at("a", 2), at("b", 2))).toBeUndefined();
  });
});

function repeat(bytes: Uint8Array, count: number): Uint8Array {
  return concat(Array.from({ length: count }, () => bytes));
}
