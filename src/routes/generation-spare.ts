/**
 * Owns the object that waits for the next answer: making a new one is the largest part of an answer's
 * beginning, and whoever asks shall not wait for it. It is empty, forgets itself by an alarm, and is nobody's until
 * an answer takes its name. Refuses to know what answers are.
 */
import { SPARE_AFTER_MS } from "../protocol/limits.ts";
import { sleep } from "../stream/clock.ts";
import type { AppContext } from "./app-env.ts";

/** What one isolate has in hand. */
export class Spare {
  #name: string | undefined;

  /** The name of the object that waits, for one who shall have it alone; undefined when there is none. */
  take(): string | undefined {
    const name = this.#name;
    this.#name = undefined;
    return name;
  }

  /** The answer that took the name was refused before it was begun: the object waits on, unless another does. */
  putBack(name: string): void {
    this.#name ??= name;
  }

  /** Has an object wait under this name, unless one does. */
  async keep(name: string, wake: (name: string) => Promise<void>): Promise<void> {
    if (this.#name !== undefined) return;
    // Whoever takes it before it is awake is no worse off than with a new one.
    this.#name = name;
    await wake(name);
  }
}

/** Sees to it, when the moment that counts is over, that the next answer finds an object. */
export function keepSpare(c: AppContext, newName: () => string): void {
  const { deps, spare } = c.var;
  const keeping = async (): Promise<void> => {
    await sleep(deps.clock, SPARE_AFTER_MS, c.req.raw.signal);
    await spare.keep(newName(), async (name) => {
      await c.env.GENERATIONS.getByName(name).wake();
    });
  };
  c.executionCtx.waitUntil(keeping().catch(() => {}));
}
