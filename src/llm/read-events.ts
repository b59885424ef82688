/**
 * Owns the reading of a provider's event stream: bytes in, payloads out, in batches of what arrived
 * together. Refuses to know what the payloads say.
 */
import { type EventSourceMessage, createParser } from "eventsource-parser";
import { SluiceError } from "../protocol/errors.ts";
import { GATHER_MS, MAX_UPSTREAM_EVENT_CHARS, UPSTREAM_READ_BYTES } from "../protocol/limits.ts";
import { type ReadAhead, readAhead } from "../stream/read-ahead.ts";
import { openWindow } from "../stream/window.ts";

/**
 * Yields the events that each read completed, so that what arrived together can leave together.
 * Reads that complete none yield an empty batch: they still are a sign of life.
 *
 * Reads are asked for by the consumer. When one after the first is answered without a wait, the
 * provider is faster than the client, and what it sends within {@link GATHER_MS} joins the batch:
 * a write costs more than a read. A provider that is slower has each read handed on at once.
 *
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
  const feed = (bytes: Uint8Array, total: number): SluiceError | undefined => {
    if (total > maxBytes) return new SluiceError("output_limit");
    parser.feed(decoder.decode(bytes, { stream: true }));
    if (!overflow) return undefined;
    return new SluiceError("upstream_bad_response", { detail: "One event was too large." });
  };
  // A byte reader takes all that is there; the default one is handed 4 KiB at a time by workerd.
  const reader = body.getReader({ mode: "byob" });
  const onAbort = (): void => {
    void reader.cancel(signal.reason).catch(() => {});
  };
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    let total = 0;
    let buffer = new ArrayBuffer(UPSTREAM_READ_BYTES);
    let ahead: ReadAhead | undefined;
    let failure: SluiceError | undefined;
    for (let isFirst = true; ; isFirst = false) {
      const askedAt = Date.now();
      ahead ??= readAhead(reader, buffer);
      await ahead.arrived;
      const hadToWait = Date.now() - askedAt > GATHER_MS;
      using window = isFirst || hadToWait ? undefined : openWindow(GATHER_MS);
      let gathered = 0;
      for (;;) {
        const { done, value } = await ahead.result;
        signal.throwIfAborted();
        if (done) return;
        gathered += value.byteLength;
        failure = feed(value, (total += value.byteLength));
        buffer = value.buffer;
        ahead = undefined;
        if (failure !== undefined || gathered >= UPSTREAM_READ_BYTES) break;
        if (window?.isOpen !== true) break;
        ahead = readAhead(reader, buffer);
        await Promise.race([ahead.arrived, window.closed]);
        // What is not there yet, an end and a failure wait for their turn: the batch goes out first.
        if (!ahead.hasBytes) break;
      }
      signal.throwIfAborted();
      const full = batch;
      batch = [];
      if (failure === undefined || full.length > 0) yield full;
      if (failure !== undefined) throw failure;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    void reader.cancel().catch(() => {});
  }
}
