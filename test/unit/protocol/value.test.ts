import { decode } from "@msgpack/msgpack";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../../src/protocol/errors.ts";
import { MAX_DEPTH, MAX_ELEMENTS } from "../../../src/protocol/limits.ts";
import { jsonToRaw, rawToJson } from "../../../src/protocol/json.ts";
import { checkRaw, decodeValue, encodeValue } from "../../../src/protocol/value.ts";
import { WalkError } from "../../../src/protocol/walk.ts";
import { fromHex, toHex } from "./hex.ts";

const raw = (text: string): ReturnType<typeof checkRaw> => checkRaw(fromHex(text));
const nested = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner) => [inner], 1);

class Mark {
  readonly mark = 1;
}

describe("values", () => {
  test("[P13] integers beyond 2^53 stay what they are, the others are numbers", () => {
    const value = [2n ** 53n, -(2n ** 63n), 2n ** 64n - 1n, 7n, 2 ** 40, -(2 ** 40), 1.5];
    expect(decodeValue(encodeValue(value))).toEqual([
      2n ** 53n,
      -(2n ** 63n),
      2n ** 64n - 1n,
      7,
      2 ** 40,
      -(2 ** 40),
      1.5,
    ]);
  });

  test("[P13] large integers are written as integers, beside a bigint or not", () => {
    expect(toHex(encodeValue(2 ** 40))).toBe("cf0000010000000000");
    expect(toHex(encodeValue([2 ** 32, 2 ** 32 - 1, -(2 ** 31), 1n]))).toBe(
      "94cf0000000100000000ceffffffffd280000000cf0000000000000001",
    );
    expect(toHex(encodeValue([2 ** 40, 1n]))).toBe("92cf0000010000000000cf0000000000000001");
    expect(toHex(encodeValue([-(2 ** 40), 1n]))).toBe("92d3ffffff0000000000cf0000000000000001");
  });

  test("[P10] integer keys are properties, of 64 bits too", () => {
    expect(decodeValue(raw("82cf00200000000000016161017f".replace("6161", "a161")))).toEqual({
      "9007199254740993": "a",
      1: 127,
    });
  });

  test("[P9] text that is no Unicode is made some, in short and long strings alike", () => {
    for (const text of ["\ud800", `${"x".repeat(300)}\udc00`]) {
      const bytes = checkRaw(encodeValue({ [text]: text, n: [1] }));
      expect(decodeValue(bytes)).toEqual({ [text.toWellFormed()]: text.toWellFormed(), n: [1] });
    }
  });

  test("undefined is nil in an array and absent in a map", () => {
    expect(decodeValue(encodeValue([undefined, { a: undefined, b: 1 }]))).toEqual([null, { b: 1 }]);
    expect(decodeValue(encodeValue({ a: undefined, n: 2n ** 60n }))).toEqual({ n: 2n ** 60n });
  });

  test("objects without a prototype are maps", () => {
    const value = Object.assign(Object.create(null) as object, { a: 1 });
    expect(decodeValue(encodeValue(value))).toEqual({ a: 1 });
  });

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
    ["nesting", nested(MAX_DEPTH + 1)],
    ["too many values", Array.from({ length: MAX_ELEMENTS }, () => 0)],
  ])("[P8][P10][P11] refused before it is sent: %s", (_, value) => {
    expect(() => encodeValue([value])).toThrow(SluiceError);
  });

  test("[P11] a value that contains itself is refused", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(() => encodeValue(loop)).toThrow(SluiceError);
  });

  test("[P11] what may be encoded passes the walk, to the last level and value", () => {
    checkRaw(encodeValue(nested(MAX_DEPTH)));
    checkRaw(encodeValue(Array.from({ length: MAX_ELEMENTS - 1 }, () => 0)));
  });

  test("[P2] a raw value has nothing after it", () => {
    expect(() => raw("c0c0")).toThrow(WalkError);
  });
});

describe("payloads in JSON", () => {
  test("[P90] what JSON lacks", () => {
    const bytes = encodeValue({ b: Uint8Array.of(255, 0), n: 2n ** 60n, s: 7n, f: NaN, a: [null] });
    expect(JSON.stringify(rawToJson(bytes))).toBe(
      '{"b":{"$base64":"/wA="},"n":"1152921504606846976","s":7,"f":null,"a":[null]}',
    );
  });

  test("[P90][P91] large binary comes back", () => {
    const bytes = encodeValue({ b: Uint8Array.from({ length: 50_000 }, (_, i) => i % 256) });
    expect(jsonToRaw(JSON.parse(JSON.stringify(rawToJson(bytes))))).toEqual(bytes);
  });

  test("[P91] JSON becomes what it is", () => {
    const json = { $base64: "AA==", a: [1, -1.5, "é", null, true], o: { $base64: "AA==" } };
    expect(decode(jsonToRaw(json))).toEqual({ ...json, o: Uint8Array.of(0) });
  });

  test.each([
    ["base64 that is none", { $base64: "*" }],
    ["base64 that is no text", { $base64: 1 }],
    ["nesting", nested(MAX_DEPTH + 1)],
    ["deep nesting", nested(5000)],
    ["__proto__", JSON.parse('{"a": {"__proto__": 1}}') as unknown],
  ])("[P91] refused: %s", (_, json) => {
    expect(() => jsonToRaw(json)).toThrow(SluiceError);
  });
});
