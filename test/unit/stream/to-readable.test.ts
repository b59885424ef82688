import { describe, expect, it } from "vitest";
import { openScope } from "../../../src/stream/abort.ts";
import { toReadable } from "../../../src/stream/to-readable.ts";
import { settle } from "../../support/fake-clock.ts";
import { ManualSource } from "../../support/manual-source.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("[B1] toReadable", () => {
  it("[B1] pulls nothing before it is read, and one item for each read", async () => {
    const source = new ManualSource<Uint8Array>();
    const reader = toReadable(source, () => {}).getReader();
    await settle();
    expect(source.pulls).toBe(0);
    const read = reader.read();
    source.push(bytes("a"));
    await read;
    await settle();
    expect(source.pulls).toBe(1);
  });

  it("[I7] aborts, then returns the source, when the reader cancels", async () => {
    const source = new ManualSource<Uint8Array>();
    const reasons: unknown[] = [];
    const reader = toReadable(source, (reason) => reasons.push(reason)).getReader();
    await reader.cancel("gone");
    expect(reasons).toEqual(["gone"]);
    expect(source.returned).toBe(1);
  });

  it("[I7] aborting lets a source that waits come to its end", async () => {
    let released = false;
    const scope = openScope(new AbortController().signal);
    async function* waiting(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        yield bytes("first");
        await new Promise((_, reject) => {
          scope.signal.addEventListener("abort", () => {
            reject(new Error("aborted"));
          });
        });
      } finally {
        released = true;
      }
    }
    const reader = toReadable(waiting(), scope.abort).getReader();
    await reader.read();
    const pending = reader.read();
    await reader.cancel();
    await pending;
    await settle();
    expect(released).toBe(true);
  });

  it("[I7] returns the source when the signal aborts and nobody reads or cancels", async () => {
    const source = new ManualSource<Uint8Array>();
    source.push(bytes("a"));
    const client = new AbortController();
    const reader = toReadable(source, () => {}, client.signal).getReader();
    await reader.read();
    client.abort();
    expect(source.returned).toBe(1);
  });

  it("[I7] returns the source at once when the signal has aborted before", () => {
    const source = new ManualSource<Uint8Array>();
    toReadable(source, () => {}, AbortSignal.abort());
    expect(source.returned).toBe(1);
  });

  it("[I7] a failing source aborts the scope and errors the stream", async () => {
    const source = new ManualSource<Uint8Array>();
    const reasons: unknown[] = [];
    const reader = toReadable(source, (reason) => reasons.push(reason)).getReader();
    const read = reader.read();
    source.fail(new Error("boom"));
    await expect(read).rejects.toThrow("boom");
    await settle();
    expect(reasons).toHaveLength(1);
    expect(source.returned).toBe(1);
  });
});

describe("[L3] abort scope", () => {
  it("[L3] follows its parent and leaves it without a listener", () => {
    const parent = new AbortController();
    const scope = openScope(parent.signal);
    parent.abort("why");
    expect(scope.signal.reason).toBe("why");
    const second = openScope(parent.signal);
    expect(second.signal.aborted).toBe(true);
  });

  it("[L3] is aborted when its block is left", () => {
    let signal: AbortSignal;
    {
      using scope = openScope(new AbortController().signal);
      signal = scope.signal;
      expect(signal.aborted).toBe(false);
    }
    expect(signal.aborted).toBe(true);
  });
});
