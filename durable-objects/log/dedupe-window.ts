/**
 * Owns the memory of client message ids: which of the newest entries of a log a publisher's id names.
 * Refuses to know entries that are not stored yet, and what is answered to a repeated publish.
 *
 * Lost with a sleep and read back from the rows' ids, without decoding an entry, when first needed.
 */
import { DEDUPE_WINDOW } from "./limits.ts";
import { decodeKeys, nameOf } from "./message-key.ts";
import type { RowIds } from "./row-table.ts";

/** The part of a log that the window reads. */
interface IdSource {
  readonly epoch: string;
  readonly tail: number;
  newestIds(count: number): IterableIterator<RowIds>;
}

/** The window over the newest entries of one log. */
export class DedupeWindow {
  readonly #log: IdSource;
  readonly #size: number;
  /** Key → sequence number, oldest first; empty until somebody asks. */
  #known = new Map<string, number>();
  /** Which life of the log is known. */
  #epoch: string | undefined;

  constructor(log: IdSource, size: number = DEDUPE_WINDOW) {
    this.#log = log;
    this.#size = size;
  }

  /** The sequence number of the entry whose key {@link nameOf} calls so, if it is in the window. */
  find(name: string): number | undefined {
    if (name === "") return undefined;
    if (this.#epoch !== this.#log.epoch) this.#readBack();
    const seq = this.#known.get(name);
    return seq !== undefined && seq > this.#log.tail - this.#size ? seq : undefined;
  }

  /** Notes the names of the keys of a flush that the log has just stored from `first` on. */
  remember(first: number, names: readonly string[]): void {
    // Not read back yet: then the log will tell.
    if (this.#epoch !== this.#log.epoch) return;
    note(this.#known, first, names);
    const oldest = this.#log.tail - this.#size;
    for (const [name, seq] of this.#known) {
      if (seq > oldest) break;
      this.#known.delete(name);
    }
  }

  #readBack(): void {
    this.#known = new Map();
    for (const { first, ids } of [...this.#log.newestIds(this.#size)].toReversed()) {
      note(this.#known, first, decodeKeys(ids).map(nameOf));
    }
    this.#epoch = this.#log.epoch;
  }
}

function note(known: Map<string, number>, first: number, names: readonly string[]): void {
  let seq = first;
  for (const name of names) {
    if (name !== "") {
      // Deleted first, so that the map stays in the order of the log.
      known.delete(name);
      known.set(name, seq);
    }
    seq += 1;
  }
}
