/**
 * Owns the ways in which applications read an inbox: by iteration and by callback. Refuses to know
 * what is read.
 */
import type { Unsubscribe } from "../state.ts";
import type { Paced } from "../paced.ts";
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
    return value === undefined ? over : { done: false, value };
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

/** Calls `take` with each item, one after the other. @param over called when it has had the last one. */
export function subscribe<Item>(
  source: Source<Item>,
  take: ((item: Item) => void | Promise<void>) & Partial<Pick<Paced<Item>, "settled">>,
  over: () => void = () => {},
): Unsubscribe {
  const reader = source.attach();
  // How it ended is told by the state.
  const next = async (): Promise<Item | undefined> => await reader.wait().catch(() => undefined);
  const run = async (): Promise<void> => {
    for (let item = await next(); item !== undefined; item = await next()) {
      try {
        await take(item);
      } catch (error) {
        throwLater(error);
      }
      reader.settle();
    }
    await take.settled?.();
    over();
  };
  void run();
  return () => {
    reader.leave();
  };
}
