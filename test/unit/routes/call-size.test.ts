import { expect, it } from "vitest";
import { MAX_CALL_BYTES } from "../../../src/protocol/limits.ts";
import { checkCallSize } from "../../../src/routes/call-size.ts";

it("[E1][L5] what one call to an object cannot carry is refused before the call", () => {
  const half = "a".repeat(MAX_CALL_BYTES / 2);
  checkCallSize([half, half]);
  expect(() => {
    checkCallSize([half, `${half}a`]);
  }).toThrow(expect.objectContaining({ code: "body_too_large" }));
});

it("[E1][L5] one character beyond Latin-1 doubles its text and no other", () => {
  const half = "é".repeat(MAX_CALL_BYTES / 2 - 2);
  checkCallSize([half, "🚰"]);
  expect(() => {
    checkCallSize([`${half}🚰`, "a"]);
  }).toThrow(expect.objectContaining({ code: "body_too_large" }));
});
