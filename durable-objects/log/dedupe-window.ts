/**
 * Owns the memory of client message ids: which of the newest entries of a log a publisher's id names.
 * Refuses to know entries that are not stored yet, and what is answered to a repeated publish.
 *
 * Lost with a sleep and read back from the rows' ids, without decoding an entry, when first needed.
 */
import { DEDUPE_WINDOW } from "./limits.ts";
import { decodeKeys, type MessageKey, nameOf } from "./message-key.ts";
import type { RowIds } from "./row-table.ts";

/** The part of a log that the window reads. */
interface IdSource {
  readonly tail: number;
  newestIds(count: number): IterableIterator<RowIds>;
}

/** The window over the newest entries of one log. */
export class DedupeWindow {
  readonly #log: IdSource;
  readonly #size: number;
  /** Key → sequence number, oldest first; `undefined` until somebody asks. */
  #known: Map<string, number> | undefined;

  constructor(log: IdSource, size: number = DEDUPE_WINDOW) {
    this.#log = log;
    this.#size = size;
  }

  /** The sequence number of the entry that `sender` published under `id`, if it is in the window. */
  find(key: MessageKey): number | undefined {
    if (key.id === "") return undefined;
    this.#known ??= this.#readBack();
    const seq = this.#known.get(nameOf(key));
    return seq !== undefined && seq > this.#log.tail - this.#size ? seq : undefined;
  }

  /** Notes the keys of a flush that the log has just stored from `first` on. */
  remember(first: number, keys: readonly MessageKey[]): void {
    // Not read back yet: then the log will tell.
    if (this.#known === undefined) return;
    note(this.#known, first, keys);
    const oldest = this.#log.tail - this.#size;
    for (const [name, seq] of this.#known) {
      if (seq > oldest) break;
      this.#known.delete(name);
    }
  }

  /** Forgets everything, as its log did. */
  clear(): void {
    this.#known = undefined;
  }

  #readBack(): Map<string, number> {
    const known = new Map<string, number>();
    for (const { first, ids } of [...this.#log.newestIds(this.#size)].toReversed()) {
      note(known, first, decodeKeys(ids));
    }
    return known;
  }
}

function note(known: Map<string, number>, first: number, keys: readonly MessageKey[]): void {
  keys.forEach((key, index) => {
    if (key.id === "") return;
    const name = nameOf(key);
    // Deleted first, so that the map stays in the order of the log.
    known.delete(name);
    known.set(name, first + index);
  });
}
