/**
 * Owns reading a stored answer back from its log's frames. Refuses to know formats and who asks.
 */
import { SluiceError, toSluiceError } from "../protocol/errors.ts";
import type { GatewayFrame } from "../sse/gateway.ts";
import { type Clock, type Random, sleep } from "../stream/clock.ts";
import { operate } from "../stream/closing.ts";
import type { Chunk } from "./chunk.ts";
import { type Ending, type Outcome, errorOf, parseEnding, parseOutcome } from "./ending.ts";
import type { AnswerChunk } from "./progress.ts";

/** A chunk and its place in the log. */
interface StoredChunk extends AnswerChunk {
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

/** Where a stored answer is read from. */
export interface StoredSource {
  /** The life of the log that is read: another answer may come to stand in its place. */
  readonly epoch: string;
  /** Opens the log's frames after a place. */
  readonly open: (after: number) => Promise<AsyncIterable<GatewayFrame>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** What is said of an answer in whose place there is another. */
const GONE = "There is no such answer, or no longer.";

/** Times that reading is taken up again without having come any further. */
const MAX_REOPENINGS = 3;

/** Milliseconds before that, at random and doubled with each time. */
const REOPEN_BASE_MS = 200;

/**
 * Yields the chunks after `after`, and the end. Who writes the answer may restart meanwhile: reading is
 * taken up again where it stopped. Nothing of another answer in its place is ever yielded; a socket that
 * was open before this answer began may belong to one.
 *
 * @throws SluiceError `stream_interrupted` when that does not help; `not_found` when the answer was
 *   deleted.
 */
export async function* readStoredAnswer(
  source: StoredSource,
  after: number,
): AsyncGenerator<StoredItem, void, undefined> {
  const { epoch, open, clock, random, signal } = source;
  let last = after;
  let wasAnother = false;
  for (let failures = 0; ; failures += 1) {
    try {
      for await (const frame of await open(last)) {
        if (frame.kind === "welcome" && frame.epoch !== epoch) {
          if (wasAnother) throw new SluiceError("not_found", { detail: GONE });
          wasAnother = true;
          break;
        }
        if (frame.kind === "deliver") {
          const { first, entries } = frame;
          last = first + entries.length - 1;
          failures = 0;
          const chunks = entries.map((entry, index) =>
            restore(String(entry.payload), first + index),
          );
          yield { kind: "chunks", chunks };
        } else if (frame.kind === "end") {
          const outcome = parseOutcome(frame.outcome);
          yield { kind: "end", seq: last + 1, outcome, ending: parseEnding(frame.data) };
          return;
        }
      }
      signal.throwIfAborted();
    } catch (thrown) {
      if (signal.aborted || toSluiceError(thrown).code !== "stream_interrupted") throw thrown;
    }
    if (failures === MAX_REOPENINGS) throw new SluiceError("stream_interrupted");
    await sleep(clock, random() * REOPEN_BASE_MS * 2 ** failures, signal);
  }
}

/**
 * Throws when the answer is over before it began, so that a failure in time is an HTTP status. One that
 * comes when `isLate` is an end like any other, with its place in the log.
 *
 * @throws SluiceError why there is no answer.
 */
export function failEarly(
  items: AsyncIterable<StoredItem>,
  isLate: () => boolean,
): AsyncIterableIterator<StoredItem> {
  return operate(items, async function* (source) {
    await using iterator = source;
    let isFirst = true;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      const item = next.value;
      const isEarly = isFirst && !isLate();
      const error = isEarly && item.kind === "end" ? errorOf(item.outcome, item.ending) : undefined;
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
