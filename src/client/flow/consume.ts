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
  const next = async (): Promise<IteratorResult<Item, undefined>> => {
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
  let turn: Promise<unknown> | undefined;
  return {
    async next() {
      const before = turn;
      const result = (async () => {
        await before;
        return await next();
      })();
      turn = result.catch(() => {});
      return await result;
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
  const run = async (): Promise<void> => {
    for (let item = await reader.wait(); item !== undefined; item = await reader.wait()) {
      try {
        const taken = take(item);
        if (taken !== undefined) await taken;
      } catch (error) {
        throwLater(error);
      }
      reader.settle();
    }
    reader.leave();
    await take.settled?.();
    over();
  };
  void run();
  return () => {
    reader.leave();
  };
}
