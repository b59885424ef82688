import { describe, expect, it } from "vitest";
import { merge } from "../../../src/stream/merge.ts";
import { settle } from "../../support/fake-clock.ts";
import { ManualSource } from "../../support/manual-source.ts";

function makeSources(count: number) {
  const sources = Array.from({ length: count }, () => new ManualSource<string>());
  let aborted = 0;
  const merged = merge(sources, () => {
    aborted += 1;
    // As whatever a source waits for would.
    for (const source of sources) source.end();
  });
  return { sources, merged, aborted: () => aborted };
}

describe("[S7] merge", () => {
  it("[S7] yields what comes, keeps each source's order, and ends when all have", async () => {
    const { sources, merged } = makeSources(2);
    const [a, b] = sources;
    const got: string[] = [];
    const reading = (async () => {
      for await (const item of merged) got.push(item);
    })();
    b?.push("b1");
    await settle();
    a?.push("a1");
    a?.push("a2");
    a?.end();
    await settle();
    expect(got).toEqual(["b1", "a1", "a2"]);
    b?.push("b2");
    b?.end();
    await reading;
    expect(got).toEqual(["b1", "a1", "a2", "b2"]);
    expect(sources.map(({ returned }) => returned)).toEqual([1, 1]);
  });

  it("[B1] asks a source for no more than one item that nobody has taken", async () => {
    const { sources, merged } = makeSources(3);
    for (const source of sources) for (const item of ["1", "2", "3"]) source.push(item);
    await merged.next();
    await settle();
    expect(sources.map(({ pulls }) => pulls)).toEqual([1, 1, 1]);
    await merged.next();
    await settle();
    expect(sources.reduce((sum, { pulls }) => sum + pulls, 0)).toBe(4);
    await merged.return?.();
  });

  it("[I7] an error of one source ends all and is thrown once", async () => {
    const { sources, merged, aborted } = makeSources(3);
    const next = merged.next();
    sources[1]?.fail(new Error("broken"));
    await expect(next).rejects.toThrow("broken");
    expect(aborted()).toBeGreaterThan(0);
    expect(sources.map(({ returned }) => returned)).toEqual([1, 1, 1]);
    expect(await merged.next()).toEqual({ done: true, value: undefined });
  });

  it.each(["before the first item", "between items", "while waiting"])(
    "[I7] returns every source when it is left %s",
    async (when) => {
      const { sources, merged } = makeSources(3);
      let waiting: Promise<unknown> | undefined;
      if (when === "between items") {
        sources[0]?.push("1");
        await merged.next();
      }
      if (when === "while waiting") waiting = merged.next();
      await merged.return?.();
      await waiting;
      expect(sources.map(({ returned }) => returned)).toEqual([1, 1, 1]);
    },
  );

  it("[S7] of nothing is nothing", async () => {
    expect(await merge([], () => {}).next()).toEqual({ done: true, value: undefined });
  });
});
