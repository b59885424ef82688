/**
 * Owns the ways in which applications read an inbox: by iteration, by callback, by paced callback.
 * Refuses to know what is read.
 */
import type { Pace } from "../items.ts";
import type { Unsubscribe } from "../state.ts";
import { guard, throwLater } from "../store.ts";
import type { Reader } from "./reader.ts";

/** Something that is read. */
interface Source<Item> {
  attach(): Reader<Item>;
}

/** An iterator that is done with an item when it asks for the next one or leaves. */
export function iterate<Item>(source: Source<Item>): AsyncIterator<Item, undefined> {
  let reader: Reader<Item> | undefined;
  let isOver = false;
  // Calls that do not wait for each other are answered in turn.
  let turn: Promise<unknown> = Promise.resolve();
  const next = async (): Promise<IteratorResult<Item, undefined>> => {
    if (isOver) return { done: true, value: undefined };
    reader ??= source.attach();
    reader.settle();
    for (;;) {
      const item = reader.isGone ? undefined : reader.take();
      if (item !== undefined) return { done: false, value: item };
      const { isGone, end } = reader;
      if (isGone || end !== undefined) {
        isOver = true;
        reader.leave();
        if (!isGone && end?.error !== undefined) throw end.error;
        return { done: true, value: undefined };
      }
      await reader.wait();
    }
  };
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
      return { done: true, value: undefined };
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
    while (!reader.isGone) {
      const item = reader.take();
      if (item === undefined) {
        if (reader.end !== undefined) break;
        await reader.wait();
        continue;
      }
      try {
        const taken = take(item);
        if (taken !== undefined) await taken;
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

/** Calls `take` with all items that came since the last call, when `pace` says. */
export function subscribePaced<Item>(
  source: Source<Item>,
  take: (items: readonly Item[]) => void,
  pace: Pace = nextFrame,
): Unsubscribe {
  const reader = source.attach();
  let callOff: Unsubscribe | undefined;
  const flush = (): void => {
    callOff = undefined;
    const items: Item[] = [];
    for (let item = reader.take(); item !== undefined; item = reader.take()) items.push(item);
    if (items.length > 0) {
      guard(() => {
        take(items);
      });
    }
    if (!reader.isGone) void run();
    reader.settle();
  };
  const run = async (): Promise<void> => {
    while (!reader.isGone && !reader.hasNext) {
      if (reader.end !== undefined) {
        reader.leave();
        return;
      }
      await reader.wait();
    }
    if (!reader.isGone) callOff = pace(flush);
  };
  void run();
  return () => {
    reader.leave();
    callOff?.();
  };
}

/** At the next frame of animation, also in a hidden page; in the next turn where there are no frames. */
function nextFrame(run: () => void): Unsubscribe {
  const { requestAnimationFrame, cancelAnimationFrame } = globalThis as unknown as {
    readonly requestAnimationFrame?: (run: () => void) => number;
    readonly cancelAnimationFrame?: (frame: number) => void;
  };
  let frame: number | undefined;
  // A hidden page has no frames, and what it holds must not grow for that.
  const timer = setTimeout(
    () => {
      if (frame !== undefined) cancelAnimationFrame?.(frame);
      run();
    },
    requestAnimationFrame === undefined ? 0 : HIDDEN_FRAME_MS,
  );
  frame = requestAnimationFrame?.(() => {
    clearTimeout(timer);
    run();
  });
  return () => {
    clearTimeout(timer);
    if (frame !== undefined) cancelAnimationFrame?.(frame);
  };
}

/** Milliseconds until a page without frames is given its items all the same. */
const HIDDEN_FRAME_MS = 250;
