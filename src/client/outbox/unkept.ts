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
  readonly size = new Store(0);

  constructor(put: (row: Row) => Promise<void>) {
    this.#put = put;
  }

  add(row: Row): void {
    this.remove(row.box, [row.id]);
    this.#rows.add(row);
    this.#count();
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
        await this.#put(row);
        this.#rows.delete(row);
        this.#count();
      }
    } catch {
      // Another time.
    } finally {
      this.#isTrying = false;
    }
  }

  #count(): void {
    this.size.set(this.#rows.size);
  }
}
