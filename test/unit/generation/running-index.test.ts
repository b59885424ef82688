import { expect, test } from "vitest";
import { GenerationIndex } from "../../../durable-objects/generation/running-index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemorySql } from "../../support/memory-sql.ts";

test("[L3] an answer that is reserved again is refused when others have filled its limit meanwhile", () => {
  const clock = new FakeClock();
  const index = new GenerationIndex(new MemorySql(), clock);
  const untilMs = clock.now() + 60_000;
  for (const [id, chat] of [
    ["a", "chat"],
    ["b", null],
    ["c", null],
  ] as const) {
    index.reserve({ id, chat, limit: null, untilMs });
  }
  // Two others are there, as many as there may be.
  expect(() => index.reserve({ id: "a", chat: "chat", limit: 2, untilMs })).toThrow(
    "too_many_generations",
  );
  expect(index.reserve({ id: "a", chat: "chat", limit: 3, untilMs })).toBeUndefined();
});
