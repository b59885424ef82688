import { expect, it } from "vitest";
import { readStoredAnswer, type StoredItem } from "../../../src/llm/stored-answer.ts";
import type { GatewayFrame } from "../../../src/sse/gateway.ts";
import { systemClock } from "../../../src/stream/clock.ts";

const MINE = "mine";

const welcome = (epoch: string): GatewayFrame =>
  ({ kind: "welcome", epoch, head: 0 }) as unknown as GatewayFrame;

const deliver = (first: number, ...payloads: readonly string[]): GatewayFrame => ({
  kind: "deliver",
  first,
  entries: payloads.map((payload) => ({ sender: "", at: 0, event: "chunk", payload, id: "" })),
});

const end: GatewayFrame = {
  kind: "end",
  outcome: "completed",
  data: JSON.stringify({
    error: null,
    finishReason: "stop",
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    firstChunkMs: 1,
    durationMs: 1,
  }),
};

/** Reads over connections that bring these frames, one after the other. */
async function read(connections: readonly (readonly GatewayFrame[])[]): Promise<{
  readonly texts: readonly string[];
  readonly askedAfter: readonly number[];
  readonly error: unknown;
}> {
  const askedAfter: number[] = [];
  const source = {
    epoch: MINE,
    open: async (after: number) => {
      const frames = connections[askedAfter.length] ?? [];
      askedAfter.push(after);
      return (async function* () {
        yield* frames;
      })();
    },
    clock: systemClock,
    random: () => 0,
    signal: new AbortController().signal,
  };
  const texts: string[] = [];
  const take = (item: StoredItem): void => {
    if (item.kind === "chunks") texts.push(...item.chunks.map(({ json }) => json));
    else texts.push(item.outcome);
  };
  try {
    for await (const item of readStoredAnswer(source, 0)) take(item);
    return { texts, askedAfter, error: undefined };
  } catch (error) {
    return { texts, askedAfter, error };
  }
}

it("[I3][L4] a socket of the answer that was there before is left for one of this answer", async () => {
  const { texts, askedAfter, error } = await read([
    [welcome("old"), deliver(1, "a"), end],
    [welcome(MINE), deliver(1, "b"), end],
  ]);
  expect([texts, askedAfter, error]).toEqual([["b", "completed"], [0, 0], undefined]);
});

it("[I3][I4][L4] nothing of an answer that has come in this one's place is told as its end", async () => {
  const { texts, askedAfter, error } = await read([
    [welcome(MINE), deliver(1, "a", "b")],
    [welcome("new"), deliver(1, "x", "y", "z"), end],
    [welcome("new"), deliver(1, "x", "y", "z"), end],
  ]);
  expect([texts, askedAfter]).toEqual([
    ["a", "b"],
    [0, 2, 2],
  ]);
  expect(error).toMatchObject({ code: "not_found" });
});
