/**
 * Owns the one seam between iterables and `ReadableStream`. Refuses to know what the bytes mean.
 */

/**
 * Turns an iterable into a stream that is pulled by its reader: nothing is produced that nobody
 * asked for (B1).
 *
 * `abort` is called with the reason when the reader cancels or a write fails. It must make whatever
 * the source waits for reject, because a generator cannot be returned while it waits; then the
 * source is returned and its `finally` blocks run (I7). Aborting `signal` from outside returns it too,
 * also when that has happened already.
 */
export function toReadable(
  source: AsyncIterable<Uint8Array>,
  abort: (reason: unknown) => void,
  signal?: AbortSignal,
): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  // Whoever has stopped reading may never cancel: then nobody else would return the source.
  const onAbort = (): void => {
    void iterator.return?.();
  };
  if (signal?.aborted === true) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const result = await iterator.next();
          if (result.done === true) controller.close();
          else controller.enqueue(result.value);
        } catch (error) {
          abort(error);
          controller.error(error);
          await iterator.return?.();
        }
      },
      async cancel(reason) {
        abort(reason);
        await iterator.return?.();
      },
    },
    // Zero: the default of one would read an item ahead of the reader.
    { highWaterMark: 0 },
  );
}
