/**
 * Owns the ways in which applications read an inbox: by iteration and by callback. Refuses to know
 * what is read.
 */
import type { Unsubscribe } from "../state.ts";
import { throwLater } from "../store.ts";
import type { Reader } from "./reader.ts";

/** Something that is read. */
interface Source<Item> {
  attach(): Reader<Item>;
}

/** An iterator that is done with an item when it asks for the next one or leaves. */
export function iterate<Item>(source: Source<Item>): AsyncIterator<Item, undefined> {
  let reader: Reader<Item> | undefined;
  let isOver = false;
  const over: IteratorResult<Item, undefined> = { done: true, value: undefined };
  const advance = async (): Promise<IteratorResult<Item, undefined>> => {
    if (isOver) return over;
    reader ??= source.attach();
    reader.settle();
    const value = await reader.wait();
    if (value !== undefined) return { done: false, value };
    const { isGone, end } = reader;
    isOver = true;
    reader.leave();
    if (!isGone && end?.error !== undefined) throw end.error;
    return over;
  };
  // Calls that do not wait for each other are answered in turn.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    next() {
      const result = turn.then(advance);
      turn = result.catch(() => {});
      return result;
    },
    async return() {
      isOver = true;
      // Also ends a `next` that waits.
      reader?.leave();
      return over;
    },
  };
}

/** Calls `take` with each item, one after the other. */
export function subscribe<Item>(
  source: Source<Item>,
  take: (item: Item) => void | Promise<void>,
): Unsubscribe {
  const reader = source.attach();
  const run = async (): Promise<void> => {
    for (let item = await reader.wait(); item !== undefined; item = await reader.wait()) {
      try {
        await take(item);
      } catch (error) {
        throwLater(error);
      }
      reader.settle();
    }
    reader.leave();
  };
  void run();
  return () => {
    reader.leave();
  };
}
