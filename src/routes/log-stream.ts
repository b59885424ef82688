/**
 * Owns how every event stream of an object's log is written: how it begins, and what one says that broke
 * off. Refuses to know whose log it is and what its frames say.
 */
import { toSluiceError } from "../protocol/errors.ts";
import { SSE_RETRY_MS } from "../protocol/limits.ts";
import { encodeComment, encodeEvent } from "../sse/encode.ts";
import { operate } from "../stream/closing.ts";

/**
 * The bytes of an event stream: a beginning, so that the first byte comes at once, what `describe` makes of each
 * frame, and, should reading fail, last words, after which a client comes back and goes on.
 *
 * @param chance from 0 to 1.
 */
export function describeFrames<F>(
  frames: AsyncIterable<F>,
  chance: number,
  describe: (frame: F) => string,
): AsyncIterableIterator<Uint8Array> {
  const encoder = new TextEncoder();
  return operate(frames, async function* (source) {
    await using iterator = source;
    yield encoder.encode(openingOf(chance));
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
        const text = describe(next.value);
        if (text !== "") yield encoder.encode(text);
      }
    } catch (thrown) {
      yield encoder.encode(describeFailure(thrown));
    }
  });
}

function openingOf(chance: number): string {
  return `retry: ${Math.round(SSE_RETRY_MS * (1 + chance))}\n${encodeComment("open")}`;
}

function describeFailure(thrown: unknown): string {
  const { code, detail } = toSluiceError(thrown);
  return encodeEvent({ event: "error", data: JSON.stringify({ code, message: detail }) });
}
