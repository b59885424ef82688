/**
 * Owns the reading of a provider's body that is no stream. Refuses to know what it says.
 */
import { SluiceError } from "../protocol/errors.ts";

/**
 * The body as text, counted while it is read.
 *
 * @throws SluiceError `output_limit` past `maxBytes`; the signal's reason once aborted.
 */
export async function readLimited(
  body: ReadableStream<Uint8Array>,
  options: {
    readonly maxBytes: number;
    readonly signal: AbortSignal;
    /** Called for each sign of life. */
    readonly onRead?: () => void;
  },
): Promise<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const onAbort = (): void => {
    void reader.cancel(options.signal.reason).catch(() => {});
  };
  options.signal.addEventListener("abort", onAbort, { once: true });
  try {
    let text = "";
    for (let size = 0; ;) {
      const { done, value } = await reader.read();
      options.signal.throwIfAborted();
      options.onRead?.();
      if (done) return text + decoder.decode();
      size += value.byteLength;
      if (size > options.maxBytes) throw new SluiceError("output_limit");
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    options.signal.removeEventListener("abort", onAbort);
    void reader.cancel().catch(() => {});
  }
}
