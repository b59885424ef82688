/**
 * Owns reading a stored answer back from its log's frames. Refuses to know formats and who asks.
 */
import { SluiceError } from "../protocol/errors.ts";
import type { GatewayFrame } from "../sse/gateway.ts";
import { operate } from "../stream/closing.ts";
import type { AnswerChunk } from "./attempt.ts";
import type { Chunk } from "./chunk.ts";
import { type Ending, type Outcome, errorOf, parseEnding, parseOutcome } from "./ending.ts";

/** A chunk and its place in the log. */
export interface StoredChunk extends AnswerChunk {
  readonly seq: number;
}

/** What a reader of a stored answer gets: chunks, and at last the end. */
export type StoredItem =
  | { readonly kind: "chunks"; readonly chunks: readonly StoredChunk[] }
  | {
      readonly kind: "end";
      /** One more than that of the last chunk: the end has a place, too. */
      readonly seq: number;
      readonly outcome: Outcome;
      readonly ending: Ending;
    };

/**
 * Yields the chunks after `after`, and the end.
 *
 * @throws SluiceError `stream_interrupted` when the frames end before the answer does.
 */
export function readStoredAnswer(
  frames: AsyncIterable<GatewayFrame>,
  after: number,
): AsyncIterableIterator<StoredItem> {
  return operate(frames, async function* (source) {
    await using iterator = source;
    let last = after;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const frame = next.value;
      if (frame.kind === "deliver") {
        const { first, entries } = frame;
        last = first + entries.length - 1;
        const chunks = entries.map(({ payload }, index) => restore(String(payload), first + index));
        yield { kind: "chunks", chunks };
      } else if (frame.kind === "end") {
        const outcome = parseOutcome(frame.outcome);
        yield { kind: "end", seq: last + 1, outcome, ending: parseEnding(frame.data) };
        return;
      }
    }
    throw new SluiceError("stream_interrupted");
  });
}

/**
 * Throws when the answer is over before it began, so that a failure in time is an HTTP status.
 *
 * @throws SluiceError why there is no answer.
 */
export function failEarly(items: AsyncIterable<StoredItem>): AsyncIterableIterator<StoredItem> {
  return operate(items, async function* (source) {
    await using iterator = source;
    let isFirst = true;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const item = next.value;
      const error = isFirst && item.kind === "end" ? errorOf(item.outcome, item.ending) : undefined;
      if (error !== undefined) throw error;
      isFirst = false;
      yield item;
    }
  });
}

/** A chunk from its text, which is understood only when somebody looks: most formats pass it on. */
function restore(json: string, seq: number): StoredChunk {
  let chunk: Chunk | undefined;
  return {
    json,
    seq,
    get chunk() {
      chunk ??= JSON.parse(json) as Chunk;
      return chunk;
    },
  };
}
