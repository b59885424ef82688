/**
 * Owns the reading of a provider's event stream: bytes in, payloads out, one batch a read.
 * Refuses to know what the payloads say.
 */
import { type EventSourceMessage, createParser } from "eventsource-parser";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_UPSTREAM_EVENT_CHARS, UPSTREAM_READ_BYTES } from "../protocol/limits.ts";

/**
 * Yields the events that each read completed, so that what arrived together can leave together.
 * Reads that complete none yield an empty batch: they still are a sign of life.
 * Aborting the signal cancels the body and rejects with the signal's reason, even when the body
 * itself would not notice.
 *
 * @throws SluiceError `upstream_bad_response` for a single event over {@link MAX_UPSTREAM_EVENT_CHARS},
 *   `output_limit` when the stream is longer than `maxBytes`.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  options: { readonly maxBytes: number; readonly signal: AbortSignal },
): AsyncGenerator<readonly EventSourceMessage[], void, undefined> {
  const { signal, maxBytes } = options;
  let batch: EventSourceMessage[] = [];
  let overflow = false;
  const parser = createParser({
    onEvent: (event) => batch.push(event),
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") overflow = true;
    },
    maxBufferSize: MAX_UPSTREAM_EVENT_CHARS,
  });
  const decoder = new TextDecoder();
  // A byte reader takes all that is there; the default one is handed 4 KiB at a time by workerd.
  const reader = body.getReader({ mode: "byob" });
  const onAbort = (): void => {
    void reader.cancel(signal.reason).catch(() => {});
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    let buffer = new ArrayBuffer(UPSTREAM_READ_BYTES);
    for (let read = 0; ;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      signal.throwIfAborted();
      if (done) return;
      read += value.byteLength;
      if (read > maxBytes) throw new SluiceError("output_limit");
      parser.feed(decoder.decode(value, { stream: true }));
      if (overflow) {
        throw new SluiceError("upstream_bad_response", { detail: "One event was too large." });
      }
      buffer = value.buffer;
      const full = batch;
      batch = [];
      yield full;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    void reader.cancel().catch(() => {});
  }
}
