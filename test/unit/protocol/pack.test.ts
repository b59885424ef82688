import { decode } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { MAX_DEPTH, MAX_ELEMENTS } from "../../../src/protocol/limits.ts";
import { pack, Packed, PackError } from "../../../src/protocol/pack.ts";
import { unpack, UnpackError } from "../../../src/protocol/unpack.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { fromHex, toHex } from "./hex.ts";

const nested = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1);

class Mark {
  readonly mark = 1;
}

const SIZES = [0, 15, 16, 31, 32, 255, 256, 65_535, 65_536];
const NUMBERS = [
  0,
  -0,
  0.5,
  Math.PI,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  1e300,
  2 ** 53,
  ...[5, 7, 8, 15, 16, 31, 32, 52, 53].flatMap((bits) => {
    const edge = 2 ** bits;
    return [edge - 1, edge, edge + 1, -edge + 1, -edge, -edge - 1].filter(Number.isSafeInteger);
  }),
];

describe("[P13] the clients' codec agrees with the library", () => {
  test.each(NUMBERS)("the number %d", (number) => {
    expect(pack(number)).toEqual(encodeValue(number));
    expect(unpack(pack(number), 0)).toBe(Object.is(number, -0) ? 0 : number);
  });

  test.each([0n, 7n, -1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n), -(2n ** 53n)])(
    "the bigint %d",
    (integer) => {
      const number = Number(integer);
      expect(pack(integer)).toEqual(encodeValue(integer));
      expect(unpack(pack(integer), 0)).toBe(Number.isSafeInteger(number) ? number : integer);
    },
  );

  test.each(SIZES)("%d bytes of text and binary", (size) => {
    for (const value of ["a".repeat(size), new Uint8Array(size).fill(7)]) {
      expect(pack([value])).toEqual(encodeValue([value]));
      expect(unpack(pack(value), 0)).toEqual(value);
    }
  });

  test.each(SIZES.filter((size) => size < MAX_ELEMENTS))("%d elements and fields", (size) => {
    const list = Array.from({ length: size }, (_, index) => index % 3);
    const map = Object.fromEntries(list.slice(0, size / 2).map((item, at) => [`k${at}`, item]));
    for (const value of [list, map]) {
      expect(pack(value)).toEqual(encodeValue(value));
      expect(unpack(pack(value), 1)).toEqual(value);
    }
  });

  test.each([
    ["nothing", [null, undefined, true, false]],
    ["text that is no Unicode", { "\ud800": "\udc00x", long: `${"y".repeat(300)}\ud800` }],
    ["a byte order mark", "\ufeffa"],
    ["a property that is undefined", { a: undefined, b: { c: [] } }],
    ["an object without a prototype", Object.assign(Object.create(null) as object, { a: 1 })],
  ])("%s", (_, value) => {
    expect(pack(value)).toEqual(encodeValue(value));
  });

  test("a view of a larger buffer", () => {
    const frame = new Uint8Array([0xc1, ...pack(["é", 1.5, Uint8Array.of(9)]), 0xc1]);
    expect(unpack(frame.subarray(1, -1), 1)).toEqual(["é", 1.5, Uint8Array.of(9)]);
  });

  test("lists and maps longer than 65,535, and floats of 32 bits, which only others write", () => {
    const nils = (head: string, count: number) => fromHex(head + "c0".repeat(count));
    expect(unpack(nils("dd00010000", 65_536), 1)).toHaveLength(65_536);
    expect(unpack(fromHex("df00000001a161ca3fc00000"), 1)).toEqual({ a: 1.5 });
  });
});

describe("[P8][P10][P11] refused before it is sent", () => {
  test.each([
    ["a date", new Date(0)],
    ["a map", new Map([[1, 2]])],
    ["a class instance", new Mark()],
    ["a typed array that is not bytes", new Float64Array(1)],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["2^64", 2n ** 64n],
    ["-2^63 - 1", -(2n ** 63n) - 1n],
    ["__proto__", JSON.parse('{"__proto__": {"admin": true}}') as unknown],
    ["nesting", nested(MAX_DEPTH)],
    ["too many values", Array.from({ length: MAX_ELEMENTS }, () => 0)],
  ])("%s", (_, value) => {
    expect(() => pack([value])).toThrow(PackError);
  });

  test("a value that contains itself", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => pack(loop)).toThrow(PackError);
  });

  test("but not what just fits", () => {
    expect(unpack(pack(nested(MAX_DEPTH)), MAX_DEPTH)).toEqual(nested(MAX_DEPTH));
    expect(pack(Array.from({ length: MAX_ELEMENTS - 1 }, () => 0))).toHaveLength(MAX_ELEMENTS + 2);
  });
});

test("what is encoded already stands in a value as it is", () => {
  const inner = pack({ a: [1, 2] });
  expect(toHex(pack([1, new Packed(inner)]))).toBe(`9201${toHex(inner)}`);
  expect(decode(pack({ inner: new Packed(inner) }))).toEqual({ inner: { a: [1, 2] } });
});

describe("[P8][P9][P10][P11][P12] refused when it comes", () => {
  test.each([
    ["nothing", ""],
    ["a header cut off", "dd0000"],
    ["a number cut off", "cf00"],
    ["text cut off", "a261"],
    ["more declared than there is", "9c000000"],
    ["something after the end", "c0c0"],
    ["0xc1", "c1"],
    ["an extension", "c70001"],
    ["a timestamp", "d6ff00000000"],
    ["a level too many", "9191919190"],
    ["a map a level too many", "9191919180"],
    ["a key that is nil", "81c000"],
    ["a key that is a list", "819000"],
    ["a key that is a whole float", "81cb3ff000000000000000"],
    ["the key __proto__", "81a95f5f70726f746f5f5f00"],
    ["bad UTF-8 behind ASCII", "a361ff61"],
  ])("%s", (_, hex) => {
    expect(() => unpack(fromHex(hex), 4)).toThrow(UnpackError);
  });

  test("a declared length costs nothing before it is believed", () => {
    const bombs = ["ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff"].map((hex) =>
      fromHex(hex + "00".repeat(64)),
    );
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 1000; i += 1) {
      for (const bomb of bombs) expect(() => unpack(bomb, 4)).toThrow(UnpackError);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });
});
