/**
 * Owns the calls to a storage, and that its trouble harms nobody: a message that cannot be kept is
 * still sent. Refuses to know when messages are sent.
 */
import { throwLater } from "../store.ts";
import type { OutboxMessage, OutboxStorage } from "./types.ts";

export class Keeper {
  readonly #storage: OutboxStorage | undefined;
  readonly #box: string;
  #loaded: Promise<readonly OutboxMessage[]> | undefined;
  /** What is being added; never rejects. */
  #adding: Promise<unknown> = Promise.resolve();

  constructor(storage: OutboxStorage | undefined, box: string) {
    this.#storage = storage;
    this.#box = box;
  }

  /** What was kept, asked for once. */
  async load(): Promise<readonly OutboxMessage[]> {
    this.#loaded ??= this.#load();
    return await this.#loaded;
  }

  /** At once: a page may be gone in the next moment. */
  add(message: OutboxMessage): void {
    const storage = this.#storage;
    if (storage === undefined) return;
    const added = attempt(async () => {
      await storage.add(this.#box, message);
    });
    this.#adding = Promise.all([this.#adding, added]);
  }

  remove(ids: readonly string[]): void {
    const storage = this.#storage;
    if (storage === undefined) return;
    const added = this.#adding;
    void attempt(async () => {
      await added;
      await storage.remove(this.#box, ids);
    });
  }

  async #load(): Promise<readonly OutboxMessage[]> {
    let messages: readonly OutboxMessage[] | undefined;
    await attempt(async () => {
      messages = await this.#storage?.load(this.#box);
    });
    return messages ?? [];
  }
}

/** Trouble of the storage is the application's to see, as any uncaught error is. */
async function attempt(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    throwLater(error);
  }
}
