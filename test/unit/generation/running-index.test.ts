import { expect, test } from "vitest";
import { GenerationIndex } from "../../../durable-objects/generation/running-index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemorySql } from "../../support/memory-sql.ts";

test("[L3] a chat has one answer that is being written: the newest, until it ends or its time is over", async () => {
  const clock = new FakeClock();
  const index = new GenerationIndex(new MemorySql(), clock);
  const untilMs = clock.now() + 60_000;
  expect(index.reserve({ id: "a", chat: "one", untilMs })).toBeUndefined();
  expect(index.reserve({ id: "a", chat: "one", untilMs })).toBeUndefined();
  expect(index.reserve({ id: "b", chat: "two", untilMs })).toBeUndefined();
  expect(index.reserve({ id: "c", chat: "one", untilMs })).toBe("a");
  expect([index.activeIn("one"), index.activeIn("two")]).toEqual(["c", "b"]);
  index.release("c");
  expect(index.activeIn("one")).toBeUndefined();
  await clock.advance(60_000);
  index.reserve({ id: "d", chat: "one", untilMs: untilMs + 60_000 });
  expect(index.activeIn("two")).toBeUndefined();
});
