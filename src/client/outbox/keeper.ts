/**
 * Owns the order of calls to a storage, and that its trouble harms nobody: a message that cannot be
 * kept is still sent. Refuses to know when messages are sent.
 */
import { throwLater } from "../store.ts";
import type { OutboxMessage, OutboxStorage } from "./types.ts";

export class Keeper {
  readonly #storage: OutboxStorage | undefined;
  readonly #box: string;
  #loaded: Promise<readonly OutboxMessage[]> | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(storage: OutboxStorage | undefined, box: string) {
    this.#storage = storage;
    this.#box = box;
  }

  /** What was kept, asked for once. */
  async load(): Promise<readonly OutboxMessage[]> {
    this.#loaded ??= this.#load();
    return await this.#loaded;
  }

  add(message: OutboxMessage): void {
    this.#then(async (storage) => {
      await storage.add(this.#box, message);
    });
  }

  remove(ids: readonly string[]): void {
    this.#then(async (storage) => {
      await storage.remove(this.#box, ids);
    });
  }

  async #load(): Promise<readonly OutboxMessage[]> {
    try {
      return (await this.#storage?.load(this.#box)) ?? [];
    } catch (error) {
      throwLater(error);
      return [];
    }
  }

  #then(run: (storage: OutboxStorage) => Promise<void>): void {
    const storage = this.#storage;
    if (storage === undefined) return;
    this.#last = this.#inTurn(this.#last, storage, run);
  }

  async #inTurn(
    before: Promise<void>,
    storage: OutboxStorage,
    run: (storage: OutboxStorage) => Promise<void>,
  ): Promise<void> {
    await before;
    try {
      await run(storage);
    } catch (error) {
      throwLater(error);
    }
  }
}
