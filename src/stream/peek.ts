/**
 * Owns the moment at which a stream is committed. Refuses to know what committing means.
 */
import type { Clock } from "./clock.ts";
import { type ClosingIterator, closing, returning } from "./closing.ts";

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
  const iterator = closing(source);
  const first = iterator.next();
  try {
    await settled(first, options);
  } catch (error) {
    await iterator[Symbol.asyncDispose]();
    throw error;
  }
  return returning(iterator, replay(first, iterator));
}

/** Waits for the promise, but not longer than that; throws what it throws in time. */
function settled(
  promise: Promise<unknown>,
  { patienceMs, clock }: { readonly patienceMs: number; readonly clock: Clock },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const disarm = clock.after(patienceMs, resolve);
    promise.then(
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
