/**
 * Owns the way of a provider's chunks into the log: each is an entry of its own, many share a row.
 * The first is stored at once; later ones wait a little, and the longer the answer the more of them
 * together, because rows cost and nobody reads faster. Refuses to know who watches and how it ends.
 */
import { type Chunk, isSpeech } from "../../src/llm/chunk.ts";
import type { AnswerChunk } from "../../src/llm/progress.ts";
import { concat } from "../../src/protocol/bytes.ts";
import { encodeEntry } from "../../src/protocol/encode-server-frame.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import {
  BATCH_BYTES,
  GENERATION_FIRST_FLUSH_MS,
  GENERATION_FLUSH_GROWTH,
  MAX_GENERATION_EVENT_BYTES,
} from "../../src/protocol/limits.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { Batcher } from "../delivery/batcher.ts";

/** The event of a log's entry that is a chunk; its payload is the chunk's JSON as a string. */
const CHUNK_EVENT = "chunk";

interface PumpOptions {
  /** The answer's id, which its chunks carry instead of the provider's. */
  readonly id: string;
  /** When it was asked for, in seconds since 1970: one time for all of its chunks, whoever says them. */
  readonly created: number;
  readonly clock: Clock;
  /** Milliseconds that a chunk waits at most. */
  readonly flushMs: number;
  /** Makes entries durable and then visible. */
  readonly store: (flush: Entries) => void;
}

/** Encoded entries, one after the other. */
export interface Entries {
  readonly entries: Uint8Array;
  readonly count: number;
}

export class Pump implements Disposable {
  readonly #options: PumpOptions;
  readonly #batcher: Batcher<Entries>;
  #hasSpoken = false;

  constructor(options: PumpOptions) {
    this.#options = options;
    const { clock, flushMs, store } = options;
    let startedAt: number | undefined;
    this.#batcher = new Batcher({
      clock,
      // Asked for with every chunk.
      get delayMs() {
        startedAt ??= clock.now();
        return waitAfter(clock.now() - startedAt, flushMs);
      },
      maxBytes: BATCH_BYTES,
      flush: (reads) => {
        store({
          entries: concat(reads.map(({ entries }) => entries)),
          count: reads.reduce((sum, { count }) => sum + count, 0),
        });
      },
    });
  }

  /** Stores chunks that were said before, a row each: they are large. */
  repeat(chunks: readonly string[]): void {
    for (const json of chunks) {
      const entries = this.#encode({ json, chunk: JSON.parse(json) as Chunk });
      this.#options.store({ entries, count: 1 });
    }
  }

  /**
   * Takes the chunks of one read.
   *
   * @throws SluiceError `output_limit` for a chunk that no row and no frame could hold.
   */
  push(batch: readonly AnswerChunk[]): void {
    const encoded: Uint8Array[] = [];
    let tooLarge = false;
    for (const chunk of batch) {
      const entry = this.#encode(chunk);
      tooLarge = entry.byteLength > MAX_GENERATION_EVENT_BYTES;
      if (tooLarge) break;
      encoded.push(entry);
    }
    const entries = concat(encoded);
    if (encoded.length > 0) {
      this.#batcher.add({ entries, count: encoded.length }, entries.byteLength);
    }
    // Nothing waits before the first word, and neither does it.
    if (!this.#hasSpoken) this.flush();
    this.#hasSpoken ||= batch.some(({ chunk }) => isSpeech(chunk));
    if (tooLarge) {
      throw new SluiceError("output_limit", { detail: "One event of the answer is too large." });
    }
  }

  /** Stores what waits now. */
  flush(): void {
    this.#batcher.flush();
  }

  [Symbol.dispose](): void {
    this.#batcher[Symbol.dispose]();
  }

  #encode(chunk: AnswerChunk): Uint8Array {
    const { clock } = this.#options;
    const payload = encodeValue(nameChunk(chunk, this.#options));
    return encodeEntry({ sender: "", at: clock.now(), event: CHUNK_EVENT, payload, id: "" });
  }
}

/** How long a chunk waits when the answer has run so long. */
function waitAfter(elapsedMs: number, maxMs: number): number {
  return Math.min(maxMs, GENERATION_FIRST_FLUSH_MS + elapsedMs * GENERATION_FLUSH_GROWTH);
}

/** The id at the beginning, then fields of texts, then the time: what stands before the choices in most chunks. */
const HEAD =
  /^\s*\{\s*"id"\s*:\s*"[^"\\]*"((?:\s*,\s*"\w+"\s*:\s*(?:"[^"\\]*"|null))*?\s*,\s*"created"\s*:\s*)\d+(?=\s*[,}])/;

/**
 * The chunk's JSON with our id, which is the one to ask for the answer with, and our time: an answer that is gone on
 * with is said by two. Everything else stays as the provider wrote it wherever the id comes first, as it does
 * from nearly all of them.
 */
function nameChunk(
  { json, chunk }: AnswerChunk,
  { id, created }: Pick<PumpOptions, "id" | "created">,
): string {
  const text = json.replace(
    HEAD,
    (_head, between: string) => `{"id":${JSON.stringify(id)}${between}${created}`,
  );
  return text === json ? JSON.stringify({ ...chunk, id, created }) : text;
}
