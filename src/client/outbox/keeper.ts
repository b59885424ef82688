/**
 * Owns the calls to a storage, and that its trouble harms nobody: a message that cannot be kept is
 * still sent. Refuses to know when messages are sent.
 */
import { throwLater } from "../store.ts";
import type { OutboxMessage, OutboxStorage } from "./types.ts";

export class Keeper {
  readonly #storage: OutboxStorage | undefined;
  readonly #findBox: () => Promise<string>;
  #box: Promise<string | undefined> | undefined;
  /** What is being added; never rejects. */
  #adding: Promise<unknown> = Promise.resolve();

  /** @param findBox names the queue; rejects when it cannot be said whose it is. */
  constructor(storage: OutboxStorage | undefined, findBox: () => Promise<string>) {
    this.#storage = storage;
    this.#findBox = findBox;
  }

  /** The queue's name; undefined when it cannot be said whose it is: then nothing is kept. */
  async box(): Promise<string | undefined> {
    return await (this.#box ??= this.#findBox().catch(() => undefined));
  }

  /** What is kept. */
  async load(): Promise<readonly OutboxMessage[]> {
    let messages: readonly OutboxMessage[] = [];
    await this.#attempt(async (storage, box) => {
      messages = await storage.load(box);
    });
    return messages;
  }

  /** At once: a page may be gone in the next moment. */
  add(message: OutboxMessage): void {
    const added = this.#attempt(async (storage, box) => {
      await storage.add(box, message);
    });
    this.#adding = Promise.all([this.#adding, added]);
  }

  remove(ids: readonly string[]): void {
    const added = this.#adding;
    if (ids.length === 0) return;
    void this.#attempt(async (storage, box) => {
      await added;
      await storage.remove(box, ids);
    });
  }

  /** Trouble of the storage is the application's to see, as any uncaught error is. */
  async #attempt(run: (storage: OutboxStorage, box: string) => Promise<void>): Promise<void> {
    const storage = this.#storage;
    if (storage === undefined) return;
    const box = await this.box();
    if (box === undefined) return;
    try {
      await run(storage, box);
    } catch (error) {
      throwLater(error);
    }
  }
}
