/**
 * Owns the moment at which a stream is committed. Refuses to know what committing means.
 */
import type { Clock } from "./clock.ts";
import { type ClosingIterator, operate } from "./closing.ts";

/**
 * Waits for the source's first item, but no longer than `patienceMs` milliseconds, and returns an
 * iterable that yields everything, that item included.
 *
 * @throws what the source throws before its first item, if it does so in time; later errors come
 *   out of the returned iterable.
 */
export async function peek<T>(
  source: AsyncIterable<T>,
  options: { readonly patienceMs: number; readonly clock: Clock },
): Promise<AsyncIterable<T>> {
  let first: Promise<IteratorResult<T, unknown>> | undefined;
  const peeked = operate(source, (iterator) => {
    first = iterator.next();
    return replay(first, iterator);
  });
  await new Promise<void>((resolve, reject) => {
    const disarm = options.clock.after(options.patienceMs, resolve);
    first?.then(
      () => {
        disarm();
        resolve();
      },
      (error: unknown) => {
        disarm();
        reject(error);
      },
    );
  });
  return peeked;
}

async function* replay<T>(
  first: Promise<IteratorResult<T, unknown>>,
  source: ClosingIterator<T>,
): AsyncGenerator<T, void, undefined> {
  await using rest = source;
  for (let result = await first; result.done !== true; result = await rest.next()) {
    yield result.value;
  }
}
