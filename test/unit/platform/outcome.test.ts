import { afterEach, expect, test, vi } from "vitest";
import { outcome, unwrap } from "../../../durable-objects/platform/outcome.ts";
import { SluiceError } from "../../../src/protocol/errors.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test("a value crosses as it is", async () => {
  expect(unwrap(await outcome("room", () => 7))).toBe(7);
});

test("an error of the table crosses with its facts and is nobody's log line", async () => {
  const log = vi.spyOn(console, "log").mockReturnValue();
  const result = await outcome("room", () => {
    throw new SluiceError("rate_limited", { retryAfter: 3 });
  });
  expect(() => unwrap(result)).toThrow(
    expect.objectContaining({ code: "rate_limited", retryAfter: 3 }),
  );
  expect(log).not.toHaveBeenCalled();
});

test("[I9][B2] an unexpected error is logged where it happened, by its name alone", async () => {
  const log = vi.spyOn(console, "log").mockReturnValue();
  const result = await outcome("topic", () => {
    throw new RangeError("secret disk full");
  });
  expect(() => unwrap(result)).toThrow(expect.objectContaining({ code: "internal" }));
  const line: unknown = JSON.parse(String(log.mock.calls[0]?.[0]));
  expect(line).toEqual({ level: "error", code: "internal", object: "topic", cause: "RangeError" });
  expect(JSON.stringify([line, result])).not.toContain("secret");
});
