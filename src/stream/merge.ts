/**
 * Owns reading several sources as one. Refuses to know what they yield.
 */
import { type ClosingIterator, closing } from "./closing.ts";

/** A source's item, or its end or error, that waits for its turn. */
interface Arrival<T> {
  readonly index: number;
  readonly result: IteratorResult<T, unknown> | { readonly error: unknown };
}

/**
 * Yields what the sources yield, each item as soon as it is there; the order within a source is kept.
 * A source is asked for its next item only when its last one was taken (B1), so one item of each
 * waits at most. Ends when all have ended; an error of one ends all.
 *
 * However it is left, every source is returned (I7).
 *
 * @param abort called first, once or more: it must make whatever the sources wait for end, because a
 *   generator cannot be returned while it waits.
 */
export function merge<T>(
  sources: readonly AsyncIterable<T>[],
  abort: () => void,
): AsyncIterableIterator<T> {
  const iterators = sources.map((source) => closing(source));
  const generator = interleave(iterators, abort);
  return {
    next: () => generator.next(),
    async return() {
      abort();
      try {
        return await generator.return();
      } finally {
        // Also when the generator never began, and so has no block to leave.
        await closeAll(iterators);
      }
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* interleave<T>(
  iterators: readonly ClosingIterator<T>[],
  abort: () => void,
): AsyncGenerator<T, void, undefined> {
  const arrived: Arrival<T>[] = [];
  let wake = (): void => {};
  const ask = (index: number): void => {
    const arrive = (result: Arrival<T>["result"]): void => {
      arrived.push({ index, result });
      wake();
    };
    iterators[index]?.next().then(arrive, (error: unknown) => {
      arrive({ error });
    });
  };
  try {
    for (const index of iterators.keys()) ask(index);
    for (let open = iterators.length; open > 0;) {
      const next = arrived.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const { index, result } = next;
      if ("error" in result) throw result.error;
      if (result.done === true) {
        open -= 1;
        continue;
      }
      yield result.value;
      ask(index);
    }
  } finally {
    abort();
    await closeAll(iterators);
  }
}

/** Returns all, also when returning one fails; that failure is not hidden. */
async function closeAll(iterators: readonly AsyncDisposable[]): Promise<void> {
  const closed = await Promise.allSettled(
    iterators.map(async (iterator) => {
      await iterator[Symbol.asyncDispose]();
    }),
  );
  const failed = closed.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
