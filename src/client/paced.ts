/**
 * Owns callbacks at the pace of a screen (P4): what comes between two frames is shown at once. Refuses
 * to know what is shown.
 */
import { guard } from "./store.ts";

/** Calls `run` once, soon. */
export type Pace = (run: () => void) => void;

/** Items that wait for a frame; more are left with the server until it has come. */
const MOST_WAITING = 1024;

/** Milliseconds until a page without frames, because it is hidden, is given its items all the same. */
const HIDDEN_FRAME_MS = 250;

/** A callback for `subscribe` that hands items over later. */
export interface Paced<Item> {
  (item: Item): void | Promise<void>;
  /** Resolves when all items that came are handed over. */
  settled(): Promise<void>;
}

/**
 * A callback for `subscribe` that calls `take` with all items since the last call, when `pace` says:
 * without one, at the next frame of animation, or in the next turn where there are none.
 */
export function paced<Item>(
  take: (items: readonly Item[]) => void,
  pace: Pace = nextFrame,
): Paced<Item> {
  let waiting: Item[] = [];
  let frame: Promise<void> | undefined;
  const add = (item: Item): void | Promise<void> => {
    waiting.push(item);
    frame ??= new Promise((resolve) => {
      pace(() => {
        const items = waiting;
        waiting = [];
        frame = undefined;
        guard(() => {
          take(items);
        });
        resolve();
      });
    });
    return waiting.length < MOST_WAITING ? undefined : frame;
  };
  return Object.assign(add, {
    settled: async (): Promise<void> => {
      await frame;
    },
  });
}

function nextFrame(run: () => void): void {
  const { requestAnimationFrame } = globalThis as unknown as {
    readonly requestAnimationFrame?: (run: () => void) => number;
  };
  let hasRun = false;
  const once = (): void => {
    if (!hasRun) run();
    hasRun = true;
  };
  requestAnimationFrame?.(once);
  setTimeout(once, requestAnimationFrame === undefined ? 0 : HIDDEN_FRAME_MS);
}
