/**
 * Owns a response body as a network would give it: bytes, pulled, and gone when the request is
 * aborted. Refuses to know what the bytes mean.
 */
import type { AbortScope } from "../../stream/abort.ts";

/**
 * A byte stream of texts. One text is taken for each pull. Aborting the scope errors the stream,
 * cancelling the stream aborts the scope; either way the texts' generator is ended, and the scope is
 * left when the stream is over.
 */
export function toByteStream(
  texts: AsyncGenerator<string, void, undefined>,
  scope: AbortScope,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let onAbort = (): void => {};
  const leave = (): void => {
    scope.signal.removeEventListener("abort", onAbort);
    scope[Symbol.dispose]();
  };
  return new ReadableStream({
    type: "bytes",
    start(controller: ReadableByteStreamController) {
      onAbort = () => {
        controller.error(scope.signal.reason);
        void texts.return();
      };
      scope.signal.addEventListener("abort", onAbort, { once: true });
    },
    async pull(controller: ReadableByteStreamController) {
      const { done, value } = await texts.next();
      if (done !== true) {
        controller.enqueue(encoder.encode(value));
        return;
      }
      leave();
      controller.close();
      // A reader that brought its own buffer waits until it is told that nothing came into it.
      controller.byobRequest?.respond(0);
    },
    async cancel() {
      leave();
      await texts.return();
    },
  });
}
