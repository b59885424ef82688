/** Owns messages for which a storage had no room, until it has. Refuses to know how they are stored. */
import { Store } from "../store.ts";
import type { OutboxMessage } from "./types.ts";

/** A message as it is stored. */
export interface Row extends OutboxMessage {
  readonly box: string;
}

export class Unkept {
  readonly #put: (row: Row) => Promise<void>;
  readonly #rows = new Set<Row>();
  #isTrying = false;
  /** Whether the application knows, and nothing was stored since. */
  #isSaid = false;
  readonly size = new Store(0);

  constructor(put: (row: Row) => Promise<void>) {
    this.#put = put;
  }

  /**
   * Stores a row, or remembers it until there is room.
   *
   * @throws Error for the first of a run: what has no room for one message has none for the next.
   */
  async keep(row: Row): Promise<void> {
    try {
      await this.#store(row);
    } catch (cause) {
      this.remove(row.box, [row.id]);
      this.#rows.add(row);
      this.#count();
      if (this.#isSaid) return;
      this.#isSaid = true;
      throw new Error(
        `Sluice's outbox cannot store messages (${String(cause)}). They are sent all the same, but gone with the page; ` +
          "the storage's `unkept` counts them. Nothing more is said before one is stored again.",
        { cause },
      );
    }
    await this.tryAgain();
  }

  /** They need not be kept any more. */
  remove(box: string, ids: readonly string[]): void {
    for (const row of this.#rows) {
      if (row.box === box && ids.includes(row.id)) this.#rows.delete(row);
    }
    this.#count();
  }

  /** There may be room now. That there is still none was said. */
  async tryAgain(): Promise<void> {
    if (this.#isTrying) return;
    this.#isTrying = true;
    try {
      for (const row of this.#rows) {
        await this.#store(row);
        this.#rows.delete(row);
        this.#count();
      }
    } catch {
      // Another time.
    } finally {
      this.#isTrying = false;
    }
  }

  async #store(row: Row): Promise<void> {
    await this.#put(row);
    this.#isSaid = false;
  }

  #count(): void {
    this.size.set(this.#rows.size);
  }
}
