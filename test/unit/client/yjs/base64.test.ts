import { expect, test } from "vitest";
import { fromBase64, toBase64 } from "../../../../src/client/yjs/base64.ts";

test.each([
  [[], ""],
  [[0, 0], "AAA="],
  [[251, 255, 191], "+/+/"],
  [[104, 105, 33, 10], "aGkhCg=="],
])("[W7] bytes %o are %o as text", (bytes, text) => {
  expect(toBase64(Uint8Array.from(bytes))).toBe(text);
  expect([...fromBase64(text)]).toEqual(bytes);
});

test("[W7] many bytes come back as they were", () => {
  const bytes = Uint8Array.from({ length: 300_001 }, (_, index) => (index * 31) % 256);
  expect(fromBase64(toBase64(bytes))).toEqual(bytes);
  expect(() => fromBase64("?")).toThrow();
});
