/**
 * Owns what all formats of an answer have in common: chunks in, bytes out, one write for each read,
 * and exactly one end, which is a completion or an error (I6). Refuses to know any one format.
 */
import { type SluiceError, toSluiceError } from "../../protocol/errors.ts";
import { operate } from "../../stream/closing.ts";
import type { AnswerChunk } from "../progress.ts";

/** A format: how a chunk, the end and a failure look as text of an event stream. */
export interface Dialect {
  /** The events for one chunk; empty when the format has nothing to say about it. */
  chunk(chunk: AnswerChunk): string;
  /** The events that end a complete answer. */
  end(): string;
  /** The events that end an answer which failed. */
  error(error: SluiceError): string;
}

/**
 * Renders an answer. After the signal has aborted there is nobody to render for: it just ends.
 * `report` is told of a failure once, for the log.
 */
export function renderAnswer(
  batches: AsyncIterable<readonly AnswerChunk[]>,
  dialect: Dialect,
  options: { readonly signal: AbortSignal; readonly report: (error: SluiceError) => void },
): AsyncIterableIterator<Uint8Array> {
  const encoder = new TextEncoder();
  return operate(batches, async function* (source) {
    await using iterator = source;
    try {
      for (;;) {
        const batch = await iterator.next();
        if (batch.done === true) break;
        let text = "";
        for (const chunk of batch.value) text += dialect.chunk(chunk);
        if (text !== "") yield encoder.encode(text);
      }
    } catch (thrown) {
      if (options.signal.aborted) return;
      const error = toSluiceError(thrown);
      options.report(error);
      yield encoder.encode(dialect.error(error));
      return;
    }
    yield encoder.encode(dialect.end());
  });
}
