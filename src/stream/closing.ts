/**
 * Owns the promise that an iterator taken is an iterator returned (I7). Refuses to know what it yields.
 */

/** An iterator to be held with `await using`: leaving the scope in any way returns it. */
export interface ClosingIterator<T> extends AsyncDisposable {
  next(): Promise<IteratorResult<T, unknown>>;
}

/**
 * Takes an iterator whose `return()` runs exactly once however the scope is left: end, error of the
 * consumer, error of the source, early return. (`for await` leaves it out when the source itself
 * throws, and a hand-driven `next()` never calls it.)
 *
 * `return()` of a generator waits for a `next()` in progress, so whatever that one waits for must
 * have been aborted first.
 */
export function closing<T>(source: AsyncIterable<T>): ClosingIterator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let closed = false;
  return {
    next: () => iterator.next(),
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      await iterator.return?.();
    },
  };
}

/**
 * Makes an operator of a generator function that holds its source with `await using`.
 */
export function operate<T, U>(
  source: AsyncIterable<T>,
  body: (source: ClosingIterator<T>) => AsyncGenerator<U, void, undefined>,
): AsyncIterableIterator<U> {
  const iterator = closing(source);
  return returning(iterator, body(iterator));
}

/**
 * Ties a generator to the iterator that it holds. Returning a generator that was never started runs
 * none of its body, so a chain of bare generators would leave its source open when the reader goes
 * before the first pull; this one returns it all the same.
 */
export function returning<T, U>(
  iterator: ClosingIterator<T>,
  generator: AsyncGenerator<U, void, undefined>,
): AsyncIterableIterator<U> {
  return {
    next: () => generator.next(),
    async return() {
      await using _source = iterator;
      return await generator.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
