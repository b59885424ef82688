import { describe, expect, it } from "vitest";
import { keepalive } from "../../../src/stream/keepalive.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { ManualSource } from "../../support/manual-source.ts";

function setUp(): {
  clock: FakeClock;
  source: ManualSource<string>;
  output: AsyncIterableIterator<string>;
} {
  const clock = new FakeClock();
  const source = new ManualSource<string>();
  return { clock, source, output: keepalive(source, { beat: "♥", everyMs: 15_000, clock }) };
}

describe("[S1] keepalive", () => {
  it("[S1] beats after each period of silence and passes items on", async () => {
    const { clock, source, output } = setUp();
    const first = output.next();
    await clock.advance(14_999);
    await clock.advance(1);
    expect(await first).toEqual({ done: false, value: "♥" });
    const second = output.next();
    await clock.advance(15_000);
    expect(await second).toEqual({ done: false, value: "♥" });
    const third = output.next();
    source.push("item");
    expect(await third).toEqual({ done: false, value: "item" });
  });

  it("[S1] counts silence from the last item, not from the last beat", async () => {
    const { clock, source, output } = setUp();
    source.push("a");
    await output.next();
    await clock.advance(10_000);
    const next = output.next();
    let beaten = false;
    void next.then(() => {
      beaten = true;
    });
    await clock.advance(14_999);
    expect(beaten).toBe(false);
    await clock.advance(1);
    expect(await next).toEqual({ done: false, value: "♥" });
  });

  it("[B1] sends nothing to a consumer that does not pull", async () => {
    const { clock, source, output } = setUp();
    source.push("a");
    await output.next();
    await clock.advance(60_000);
    const next = output.next();
    source.push("b");
    expect(await next).toEqual({ done: false, value: "b" });
  });

  it("[I7] leaves no timer and no open source, however it ends", async () => {
    for (const end of ["done", "error", "return"] as const) {
      const { clock, source, output } = setUp();
      const pending = output.next();
      await settle();
      if (end === "done") source.end();
      else if (end === "error") source.fail(new Error("boom"));
      else source.push("x");
      await pending.catch(() => {});
      if (end === "return") await output.return?.();
      expect(clock.armed, end).toBe(0);
      expect(source.returned, end).toBe(1);
    }
  });

  it("[B1] arms one timer for thousands of items", async () => {
    const { clock, source, output } = setUp();
    let most = 0;
    for (let i = 0; i < 5_000; i += 1) {
      source.push("x");
      await output.next();
      most = Math.max(most, clock.armed);
    }
    expect(most).toBe(1);
  });
});
