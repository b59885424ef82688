import { describe, expect, it } from "vitest";
import { StreamPosition } from "../../../src/routes/stream-position.ts";

const EPOCH = "0mfa3k9x2zq";

describe("[S7] the id of a stream of several topics", () => {
  it("[S7] gives back what was put in, whatever the order of the topics", () => {
    const position = new StreamPosition(["b", "a", "c"]);
    position.set("a", { epoch: EPOCH, seq: 1 });
    position.set("c", { epoch: "-", seq: Number.MAX_SAFE_INTEGER });
    const again = StreamPosition.parse(["c", "b", "a"], position.toString());
    expect(again?.get("a")).toEqual({ epoch: EPOCH, seq: 1 });
    expect(again?.get("b")).toBeUndefined();
    expect(again?.get("c")).toEqual({ epoch: "-", seq: Number.MAX_SAFE_INTEGER });
    expect(again?.toString()).toBe(position.toString());
  });

  it("[S7] fits a header, however many topics there are and whatever they are called", () => {
    const names = Array.from({ length: 32 }, (_, index) => `${"x".repeat(120)}${index}`);
    const position = new StreamPosition(names);
    for (const name of names) position.set(name, { epoch: EPOCH, seq: Number.MAX_SAFE_INTEGER });
    expect(position.toString().length).toBeLessThan(1024);
    expect(position.toString()).toMatch(/^[\x21-\x7e]+$/);
  });

  it.each(["", "zzz~a_1~b_1", "~", "a_1", "x".repeat(10_000), "\n~~"])(
    "[I4] refuses %j, which was not given out for these topics",
    (id) => {
      expect(StreamPosition.parse(["a", "b"], id)).toBe(undefined);
    },
  );

  it.each(["_1", "e_", "e_-1", "e_1.5", "e_zzzzzzzzzzzz", "e e_1", "e_1_1", "e_ 1"])(
    "[I4] refuses the part %j",
    (part) => {
      const [tag] = new StreamPosition(["a"]).toString().split("~");
      expect(StreamPosition.parse(["a"], `${tag}~${part}`)).toBe(undefined);
    },
  );

  it("[I4] belongs to its set of topics", () => {
    const id = new StreamPosition(["a", "b"]).toString();
    expect(StreamPosition.parse(["a", "c"], id)).toBe(undefined);
    expect(StreamPosition.parse(["a"], id)).toBe(undefined);
  });
});
