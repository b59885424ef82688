/**
 * Owns what is stored of documents, in transactions, and what is known of it without reading. Refuses to know the
 * log, and who may change what.
 */
import type { Clock } from "../../src/stream/clock.ts";
import type { Sql } from "../log/sql.ts";
import { type DocumentFacts, DocumentTable, type Part } from "./document-table.ts";
import { PART_BYTES } from "./limits.ts";
import type { News } from "./unfolded.ts";
import { joinAll, NOTHING } from "./update.ts";

/** What stored documents are given from outside. */
export interface StoreContext {
  readonly sql: Sql;
  readonly clock: Clock;
  /** Runs statements of which all count or, when it throws, none. */
  readonly transact: (run: () => void) => void;
}

export class StoredDocuments {
  readonly #table: DocumentTable;
  readonly #context: StoreContext;
  readonly #known: Map<string, DocumentFacts>;

  constructor(context: StoreContext) {
    this.#context = context;
    this.#table = new DocumentTable(context.sql);
    this.#known = this.#table.all();
  }

  /** Figures for those who watch the room. */
  get stats(): { readonly count: number; readonly bytes: number; readonly rowsWritten: number } {
    const there = this.there();
    const bytes = there.reduce((sum, [, facts]) => sum + storedBytesOf(facts), 0);
    return { count: there.length, bytes, rowsWritten: this.#table.rowsWritten };
  }

  /** Whether there never was a document. */
  get isEmpty(): boolean {
    return this.#known.size === 0;
  }

  get(name: string): DocumentFacts | undefined {
    return this.#known.get(name);
  }

  /** Those that were not deleted. */
  there(): readonly (readonly [name: string, facts: DocumentFacts])[] {
    return [...this.#known].filter(([, { isGone }]) => !isGone);
  }

  /** The parts of a document. */
  read(name: string): readonly Uint8Array[] {
    return (this.#known.get(name)?.parts ?? []).map((part) => this.#table.read(name, part));
  }

  /** Begins an empty document. `andWrite` is done in the same transaction, as everywhere below. */
  begin(name: string, andWrite: () => void): void {
    this.#table.make();
    const at = this.#context.clock.now();
    this.#context.transact(() => {
      andWrite();
      this.#table.insert(name, { number: 0, at, isGone: false }, NOTHING);
    });
    const part = { number: 0, bytes: NOTHING.byteLength };
    this.#known.set(name, { at, parts: [part], isGone: false });
  }

  /** Adds what was said to its documents. */
  add(news: ReadonlyMap<string, News>, andWrite: () => void = () => {}): void {
    const stored = new Map<string, DocumentFacts>();
    this.#context.transact(() => {
      for (const [name, { updates, at }] of news) stored.set(name, this.#add(name, updates, at));
      andWrite();
    });
    for (const [name, facts] of stored) this.#known.set(name, facts);
  }

  /** Puts an update in the place of the parts up to `upTo`; when that is no part any more, nothing happens. */
  replace(name: string, upTo: number, update: Uint8Array): void {
    const facts = this.#known.get(name);
    const [first] = facts?.parts ?? [];
    const isThere = facts?.parts.some(({ number }) => number === upTo) === true;
    if (facts === undefined || first === undefined || !isThere || facts.isGone) return;
    const { at } = facts;
    this.#context.transact(() => {
      this.#table.remove(name, first.number, upTo);
      this.#table.insert(name, { number: upTo, at, isGone: false }, update);
    });
    const later = facts.parts.filter(({ number }) => number > upTo);
    const parts = [{ number: upTo, bytes: update.byteLength }, ...later];
    this.#known.set(name, { ...facts, parts });
  }

  /** Leaves of a document only that it was deleted; whether there ever was one. */
  delete(name: string): boolean {
    const facts = this.#known.get(name);
    if (facts === undefined) return false;
    const number = nextNumber(facts.parts);
    const at = this.#context.clock.now();
    this.#context.transact(() => {
      this.#table.remove(name, 0, number);
      this.#table.insert(name, { number, at, isGone: true }, new Uint8Array());
    });
    this.#known.set(name, { at, parts: [{ number, bytes: 0 }], isGone: true });
    return true;
  }

  #add(name: string, updates: readonly Uint8Array[], at: number): DocumentFacts {
    const { parts = [] } = this.#known.get(name) ?? {};
    const newest = parts.at(-1);
    const fresh = joinAll(updates);
    const whole =
      newest === undefined || newest.bytes >= PART_BYTES
        ? undefined
        : joinAll([this.#table.read(name, newest), ...fresh]);
    // What is stored gives way only to what holds all of it.
    const isWhole = newest !== undefined && whole?.length === 1;
    const kept = isWhole ? parts.slice(0, -1) : parts;
    if (isWhole) this.#table.remove(name, newest.number, newest.number);
    let number = nextNumber(parts);
    const added: Part[] = [];
    for (const content of isWhole ? whole : fresh) {
      added.push(this.#table.insert(name, { number, at, isGone: false }, content));
      number += 1;
    }
    return { at, parts: [...kept, ...added], isGone: false };
  }
}

/** Bytes that are stored of a document. */
export function storedBytesOf({ parts }: DocumentFacts): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0);
}

function nextNumber(parts: readonly Part[]): number {
  return (parts.at(-1)?.number ?? -1) + 1;
}
