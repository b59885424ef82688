/** Owns the proof that a fast provider's events share writes, and that a slow one's never wait. */
import { describe, expect, it } from "vitest";
import { readEvents } from "../../../src/llm/read-events.ts";
import { UPSTREAM_READ_BYTES } from "../../../src/protocol/limits.ts";

const encoder = new TextEncoder();
const MANY = { maxBytes: Number.POSITIVE_INFINITY, signal: new AbortController().signal };

interface Provider {
  readonly body: ReadableStream<Uint8Array>;
  readonly send: (data: string) => void;
  readonly end: () => void;
  readonly fail: (error: Error) => void;
  /** How often the provider has been asked for bytes. */
  readonly asked: () => number;
}

/** A body that gives one event a read, as a chunked answer does. */
function createProvider(): Provider {
  const queue: Uint8Array[] = [];
  let asked = 0;
  let finish: ((controller: ReadableByteStreamController) => void) | undefined;
  let wake = (): void => {};
  const body: ReadableStream<Uint8Array> = new ReadableStream(
    {
      type: "bytes",
      async pull(controller) {
        asked += 1;
        const isIdle = (): boolean => queue.length === 0 && finish === undefined;
        while (isIdle()) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const bytes = queue.shift();
        if (bytes !== undefined) {
          controller.enqueue(bytes);
          return;
        }
        finish?.(controller);
      },
    },
    { highWaterMark: 0 },
  );
  return {
    body,
    asked: () => asked,
    send(data) {
      queue.push(encoder.encode(`data: ${data}\n\n`));
      wake();
    },
    end() {
      finish = (controller) => {
        controller.close();
        controller.byobRequest?.respond(0);
      };
      wake();
    },
    fail(error) {
      finish = (controller) => {
        controller.error(error);
      };
      wake();
    },
  };
}

async function collect(source: AsyncIterable<readonly { data: string }[]>): Promise<string[][]> {
  const batches: string[][] = [];
  for await (const batch of source) batches.push(batch.map(({ data }) => data));
  return batches;
}

describe("reading a provider's events", () => {
  it("[P2] hands the first read on alone and gathers what follows without a wait", async () => {
    const provider = createProvider();
    for (let i = 0; i < 10; i += 1) provider.send(String(i));
    provider.end();
    const batches = await collect(readEvents(provider.body, MANY));
    expect(batches[0]).toEqual(["0"]);
    expect(batches.flat()).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
    expect(batches.length).toBeLessThan(10);
  });

  it("[P2] hands an event on before the next one exists", async () => {
    const provider = createProvider();
    const events = readEvents(provider.body, MANY);
    for (let i = 0; i < 20; i += 1) {
      provider.send(String(i));
      const { value } = await events.next();
      expect(value?.map(({ data }) => data)).toEqual([String(i)]);
    }
    await events.return();
  });

  it("[B1] asks for nothing before it is asked, and gathers no more than one read's worth", async () => {
    const provider = createProvider();
    const size = 4096;
    const sent = (UPSTREAM_READ_BYTES / size) * 8;
    for (let i = 0; i < sent; i += 1) provider.send("x".repeat(size));
    const events = readEvents(provider.body, MANY);
    expect(provider.asked()).toBe(0);
    await events.next();
    expect(provider.asked()).toBe(1);
    const { value } = await events.next();
    expect(value?.length).toBeLessThanOrEqual(UPSTREAM_READ_BYTES / size);
    expect(provider.asked()).toBeLessThanOrEqual(2 + UPSTREAM_READ_BYTES / size);
    await events.return();
  });

  it("[L5] delivers what was gathered before a failure", async () => {
    const provider = createProvider();
    for (const data of ["a", "b", "c"]) provider.send(data);
    provider.fail(new Error("the socket died"));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const batch of readEvents(provider.body, MANY)) {
        seen.push(...batch.map(({ data }) => data));
      }
    })();
    await expect(reading).rejects.toThrow("the socket died");
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("[L5] delivers what was gathered before the limit, and nothing beyond it", async () => {
    const provider = createProvider();
    for (const data of ["a", "b", "c", "d"]) provider.send(data);
    const seen: string[] = [];
    const reading = (async () => {
      const maxBytes = 3 * "data: a\n\n".length;
      for await (const batch of readEvents(provider.body, { ...MANY, maxBytes })) {
        seen.push(...batch.map(({ data }) => data));
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: "output_limit" });
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("[L3] rejects with the reason when aborted while it gathers", async () => {
    const provider = createProvider();
    const abort = new AbortController();
    const events = readEvents(provider.body, { ...MANY, signal: abort.signal });
    provider.send("a");
    await events.next();
    provider.send("b");
    const next = events.next();
    abort.abort(new Error("gone"));
    await expect(next).rejects.toThrow("gone");
  });
});
