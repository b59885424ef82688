import { describe, expect, it } from "vitest";
import { peek } from "../../../src/stream/peek.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { ManualSource } from "../../support/manual-source.ts";

const PATIENCE_MS = 2_000;

describe("[L5] peek", () => {
  it("[L5] throws what the source throws in time, and returns the source", async () => {
    const clock = new FakeClock();
    const source = new ManualSource<string>();
    const peeked = peek(source, { patienceMs: PATIENCE_MS, clock });
    await settle();
    source.fail(new Error("early"));
    await expect(peeked).rejects.toThrow("early");
    expect(source.returned).toBe(1);
    expect(clock.armed).toBe(0);
  });

  it("[S1] commits after its patience and hands a late failure on in the stream", async () => {
    const clock = new FakeClock();
    const source = new ManualSource<string>();
    const peeked = peek(source, { patienceMs: PATIENCE_MS, clock });
    await clock.advance(PATIENCE_MS);
    const iterator = (await peeked)[Symbol.asyncIterator]();
    const first = iterator.next();
    source.fail(new Error("late"));
    await expect(first).rejects.toThrow("late");
    expect(source.returned).toBe(1);
  });

  it("[L1] loses nothing of what was looked at", async () => {
    const clock = new FakeClock();
    const source = new ManualSource<string>();
    source.push("a");
    source.push("b");
    source.end();
    const items: string[] = [];
    for await (const item of await peek(source, { patienceMs: PATIENCE_MS, clock })) {
      items.push(item);
    }
    expect(items).toEqual(["a", "b"]);
    expect(source.returned).toBe(1);
  });

  it("[I7] returns the source when nobody reads what was looked at", async () => {
    const clock = new FakeClock();
    const source = new ManualSource<string>();
    source.push("a");
    const peeked = await peek(source, { patienceMs: PATIENCE_MS, clock });
    await peeked[Symbol.asyncIterator]().return?.();
    expect(source.returned).toBe(1);
  });
});
