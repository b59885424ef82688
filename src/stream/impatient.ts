/**
 * Owns giving up on a reader that takes nothing for too long: its source is let go of, and should it
 * read on after all, it is told so and no more. Refuses to know what it reads.
 */
import type { Clock } from "./clock.ts";
import { closing } from "./closing.ts";
import { IdleTimer } from "./idle-timer.ts";

interface ImpatientOptions<T> {
  readonly clock: Clock;
  /** Milliseconds that may lie between two readings, and before the first. */
  readonly patienceMs: number;
  /** The last item of who comes back too late. Not an error: the runtime would report it as one of ours. */
  readonly tooLate: () => T;
  /**
   * Called once when the reader has all of it, has failed or has gone. Not when it is given up: what it
   * holds, a response that nobody takes, it still holds.
   */
  readonly ended: () => void;
}

/** The same items, as long as somebody takes them. */
export function impatient<T>(
  source: AsyncIterable<T>,
  { clock, patienceMs, tooLate, ended }: ImpatientOptions<T>,
): AsyncIterableIterator<T, undefined> {
  const iterator = closing(source);
  let isGivenUp = false;
  let isOver = false;
  const idle = new IdleTimer(clock, patienceMs, () => {
    isGivenUp = true;
    idle[Symbol.dispose]();
    void letGo();
  });
  const letGo = async (): Promise<void> => {
    try {
      await iterator[Symbol.asyncDispose]();
    } catch {
      // Nobody is left to be told.
    }
  };
  const finish = (): void => {
    idle[Symbol.dispose]();
    if (isOver) return;
    isOver = true;
    ended();
  };
  idle.start();
  return {
    async next() {
      idle.pause();
      if (isGivenUp) {
        if (isOver) return { done: true, value: undefined };
        finish();
        return { done: false, value: tooLate() };
      }
      try {
        const result = await iterator.next();
        if (result.done !== true) {
          idle.start();
          return result;
        }
        finish();
        return { done: true, value: undefined };
      } catch (thrown) {
        finish();
        throw thrown;
      }
    },
    async return() {
      finish();
      await iterator[Symbol.asyncDispose]();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
