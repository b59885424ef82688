import { expect, test } from "vitest";
import {
  decodeStart,
  encodeStart,
  isPosition,
  type ReaderStart,
  startFrom,
} from "../../../src/protocol/reader-start.ts";

const POSITION = { epoch: "e1", seq: 7 };

test("[I3] where a reader begins is the same for the object as for the Worker", () => {
  const starts: readonly ReaderStart[] = ["start", "now", { newest: 0 }, { newest: 9 }, POSITION];
  for (const start of starts) expect(decodeStart(encodeStart(start))).toEqual(start);
  for (const text of ['"then"', '{"epoch":"e1"}', '{"newest":1,"epoch":"e1","seq":1}', "no JSON"]) {
    expect(() => decodeStart(text)).toThrow(Error);
  }
});

test("[I3] a position counts more than a wish for the newest, and without either it is now", () => {
  expect(startFrom(POSITION, 5)).toEqual(POSITION);
  expect(startFrom(undefined, 0)).toEqual({ newest: 0 });
  expect(startFrom(undefined, undefined)).toBe("now");
  expect(
    [POSITION, { newest: 1 }, "now", "start"].map((start) => isPosition(start as ReaderStart)),
  ).toEqual([true, false, false, false]);
});
