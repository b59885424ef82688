/**
 * Owns the append-only log with a position: everything a client can watch is one. Entries are bytes
 * that are stored as they go over the wire. Refuses to know members, frames and what entries mean.
 *
 * A row is a flush. All methods are synchronous and leave no cursor open; writes made without an
 * `await` between them become durable together.
 */
import type { ReaderStart } from "../../src/protocol/reader-start.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import { nextEpoch } from "./epoch.ts";
import { MAX_PAGE_ROWS, MAX_ROW_BYTES, MIN_PAGE_ROWS } from "./limits.ts";
import { LogError } from "./log-error.ts";
import { Meta } from "./meta.ts";
import { ageDueAt, type Cut, cutFor, isOverfull, type Mark, type Retention } from "./retention.ts";
import { type Piece, type RowIds, type RowSize, RowTable } from "./row-table.ts";
import { migrate, type Tables, tablesOf } from "./schema.ts";
import type { Sql } from "./sql.ts";
import { parseFloor, parseTerminal, type Terminal } from "./stored-state.ts";

/** Where a log lives and what it is given from outside. */
export interface LogOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly retention: Retention;
  /** Begins the names of the log's tables; `log` unless one object keeps several logs. */
  readonly prefix?: string;
  /** Called in the turn in which entries up to `upTo` are removed, while they can still be read: whether they may be. */
  readonly beforeTrim?: (log: Log, upTo: number) => boolean;
}

/** Entries that become durable together. */
export interface Flush {
  /** The encoded entries, one after the other. */
  readonly entries: Uint8Array;
  readonly count: number;
  /** What a {@link DedupeWindow} needs to know about them; opaque to the log. */
  readonly ids: string;
}

/** Where a flush was stored. */
export interface Appended {
  readonly first: number;
  readonly last: number;
  /** Milliseconds since the Unix epoch; never less than that of an earlier row. */
  readonly at: number;
}

/**
 * Positions that are not stored (I4): the entries `from` to `to` are lost to this reader, who goes on
 * after `to`. With another epoch or a future position nobody can say where the loss began: `from` is 0.
 */
export interface Gap {
  readonly kind: "gap";
  readonly reason: "trimmed" | "epoch" | "future";
  readonly from: number;
  readonly to: number;
}

/**
 * Consecutive entries after a position; none when there is nothing newer. A page begins with a whole
 * row: when `first` is not beyond the position asked for, the reader skips the entries that it has.
 */
export interface Page extends Piece {
  readonly kind: "page";
  /** Sequence number to read on after. */
  readonly last: number;
  /** Whether the page reaches the end of the log. */
  readonly done: boolean;
}

/** How much one page holds at most; one row is always given, however large. */
export interface PageSize {
  readonly maxBytes: number;
  readonly maxEntries: number;
}

/** Whether the log takes more entries. */
export type LogState =
  | { readonly kind: "open" }
  | { readonly kind: "closed"; readonly terminal: Terminal };

/** Where a reader wants to begin. */
export type From = ReaderStart;

/** How much is stored, for those who watch the object. */
export interface LogStats {
  readonly rows: number;
  readonly entries: number;
  readonly bytes: number;
  /** Sequence number of the oldest stored entry; one more than `tail` when nothing is stored. */
  readonly head: number;
  readonly tail: number;
  /** Rows written since the log was opened. */
  readonly rowsWritten: number;
}

const NOTHING = new Uint8Array();
const BEGINNING: Mark = { seq: 0, bytes: 0, rows: 0 };
const FLOOR = "floor";
const EPOCH = "epoch";
const TERMINAL = "terminal";

/** Opens the log kept in `sql`, which is made when there is none, in a constant number of statements. */
export function openLog(sql: Sql, options: LogOptions): Log {
  const tables = tablesOf(options.prefix ?? "log");
  const isNew = migrate(sql, tables);
  return new Log(sql, tables, { ...options, isNew });
}

/** See the module. Made by {@link openLog}. */
export class Log {
  /** Settings of the log's owner; gone with a reset. */
  readonly settings: Meta;
  readonly #rows: RowTable;
  readonly #options: LogOptions;
  readonly #meta: Meta;
  #epoch: string;
  #state: LogState = { kind: "open" };
  /** Totals of everything before the oldest stored row. */
  #start: Mark = BEGINNING;
  /** Totals of everything ever appended. */
  #end: Mark = BEGINNING;
  #oldestAt: number | undefined;
  #newestAt = 0;
  #isTrimming = false;

  constructor(sql: Sql, tables: Tables, options: LogOptions & { readonly isNew: boolean }) {
    this.#rows = new RowTable(sql, tables.entries);
    this.#options = options;
    this.#meta = new Meta(sql, tables.meta, "log");
    this.settings = new Meta(sql, tables.meta, "settings");
    if (options.isNew) {
      this.#epoch = this.#begin(undefined);
      return;
    }
    const stored = this.#meta.all();
    const terminal = stored.get(TERMINAL);
    if (terminal !== undefined) this.#state = { kind: "closed", terminal: parseTerminal(terminal) };
    this.#epoch = stored.get(EPOCH) ?? this.#begin(undefined);
    this.#measure(stored.get(FLOOR));
    this.trimWhenDue();
  }

  /** Names this life of the log; another one begins with every {@link reset}. */
  get epoch(): string {
    return this.#epoch;
  }

  get state(): LogState {
    return this.#state;
  }

  /** Sequence number of the newest entry; 0 before the first. */
  get tail(): number {
    return this.#end.seq;
  }

  /** Sequence number of the oldest stored entry; `tail + 1` when nothing is stored. */
  get head(): number {
    return this.#start.seq + 1;
  }

  /** When the newest entry was written, in milliseconds since the Unix epoch; 0 before the first. */
  get newestAt(): number {
    return this.#newestAt;
  }

  /** Bytes of all entries ever appended, the removed ones too. */
  get bytesEver(): number {
    return this.#end.bytes;
  }

  get stats(): LogStats {
    return {
      rows: this.#end.rows - this.#start.rows,
      entries: this.#end.seq - this.#start.seq,
      bytes: this.#end.bytes - this.#start.bytes,
      head: this.head,
      tail: this.tail,
      rowsWritten: this.#rows.rowsWritten + this.#meta.rowsWritten + this.settings.rowsWritten,
    };
  }

  /**
   * When the oldest row should be removed for its age: the time for the owner's alarm, in milliseconds
   * since the Unix epoch. Without an alarm it happens at the next append or read.
   */
  get trimAt(): number | undefined {
    return ageDueAt(this.#options.retention, this.#oldestAt);
  }

  /**
   * Stores a flush as one row.
   *
   * @throws LogError, with nothing written, when the log has ended, when the flush holds no entry, and
   *   when it is larger than a row may be and the caller must split it.
   */
  append({ entries, count, ids }: Flush): Appended {
    if (this.#state.kind === "closed") throw new LogError("log_closed");
    if (count < 1 || entries.byteLength === 0) throw new LogError("flush_empty");
    // A UTF-16 unit takes up to three bytes; measuring exactly would cost more than the room it saves.
    if (entries.byteLength + ids.length * 3 > MAX_ROW_BYTES) throw new LogError("flush_too_large");
    // Before the insert: if trimming fails, nothing was stored and nobody was told that it was.
    this.trimWhenDue();
    const at = Math.max(this.#options.clock.now(), this.#newestAt);
    const first = this.#end.seq + 1;
    const end: Mark = {
      seq: this.#end.seq + count,
      bytes: this.#end.bytes + entries.byteLength,
      rows: this.#end.rows + 1,
    };
    this.#rows.insert({ first, count, entries }, { at, ids, end });
    this.#end = end;
    this.#newestAt = at;
    this.#oldestAt ??= at;
    return { first, last: end.seq, at };
  }

  /** Reads the entries after the sequence number `seq`, at most a page of them. */
  readAfter(seq: number, { maxBytes, maxEntries }: PageSize): Page | Gap {
    this.trimWhenDue();
    const gap = this.#gapAfter(seq);
    if (gap !== undefined) return gap;
    if (seq === this.tail) {
      return { kind: "page", first: seq + 1, count: 0, entries: NOTHING, last: seq, done: true };
    }
    const maxRows = this.#rowsWorthReading(maxBytes, maxEntries);
    const piece = this.#rows.page({ from: seq + 1, maxEntries, maxBytes, maxRows });
    if (piece === undefined) throw new Error(`the log holds no row for entry ${seq + 1}`);
    const last = piece.first + piece.count - 1;
    return { kind: "page", ...piece, last, done: last === this.tail };
  }

  /** Where a reader begins: the sequence number to read after, or what is lost to it. */
  resolve(from: From): { readonly kind: "from"; readonly seq: number } | Gap {
    this.trimWhenDue();
    if (from === "start") return { kind: "from", seq: this.#start.seq };
    if (from === "now") return { kind: "from", seq: this.tail };
    if ("newest" in from) return { kind: "from", seq: this.newest(from.newest) };
    if (from.epoch !== this.#epoch) {
      return { kind: "gap", reason: "epoch", from: 0, to: this.#start.seq };
    }
    return this.#gapAfter(from.seq) ?? { kind: "from", seq: from.seq };
  }

  /** The sequence number after which the newest `count` entries lie, or as many as are stored. */
  newest(count: number): number {
    return Math.max(this.#start.seq, this.tail - Math.max(0, count));
  }

  /** The newest flushes that reach beyond `seq`, at most `limit`, oldest first. */
  sizesAfter(seq: number, limit: number): readonly RowSize[] {
    return this.#rows.sizesAfter(seq, limit);
  }

  /** Bytes stored up to the entry `seq`, whose row counts whole. */
  bytesUpTo(seq: number): number {
    const total = this.#rows.totalAt(seq);
    return total === undefined ? 0 : Math.max(0, total - this.#start.bytes);
  }

  /** The `ids` of the rows that hold the newest `count` entries, newest row first. */
  newestIds(count: number): IterableIterator<RowIds> {
    return this.#rows.idsBetween(this.newest(count) + 1, this.tail);
  }

  /**
   * Ends the log for good with one durable terminal (I6). A log that has ended keeps the terminal that
   * it has; the one that counts is returned.
   */
  close({ outcome, data }: Pick<Terminal, "outcome" | "data">): Terminal {
    if (this.#state.kind === "closed") return this.#state.terminal;
    const at = Math.max(this.#options.clock.now(), this.#newestAt);
    const terminal: Terminal = { outcome, data, at };
    this.#meta.set(TERMINAL, JSON.stringify(terminal));
    this.#state = { kind: "closed", terminal };
    return terminal;
  }

  /**
   * Forgets everything, the terminal and the settings included, and begins a new epoch. What stays is
   * one row that keeps epochs in order; to leave nothing, an owner deletes its whole storage instead.
   */
  reset(): void {
    this.#rows.deleteUpTo(this.tail);
    this.settings.clear();
    this.#meta.delete(TERMINAL);
    this.#meta.delete(FLOOR);
    this.#epoch = this.#begin(this.#epoch);
    this.#state = { kind: "open" };
    this.#measure(undefined);
  }

  /**
   * Begins a log that holds nothing yet as the continuation of another: its first entry follows the
   * position `seq` of `epoch`.
   */
  continueFrom({ epoch, seq }: { readonly epoch: string; readonly seq: number }): void {
    if (this.tail > 0) throw new Error("a log that holds something cannot begin elsewhere");
    this.#epoch = epoch;
    this.#meta.set(EPOCH, epoch);
    const floor = JSON.stringify({ ...BEGINNING, seq, at: 0 });
    this.#meta.set(FLOOR, floor);
    this.#measure(floor);
  }

  /** Removes every row beyond the retention now; {@link append} and reads do it when it pays. */
  trim(): void {
    const { clock, retention } = this.#options;
    this.#cut(cutFor(retention, this.#end, clock.now()));
  }

  /** Removes the rows that lie up to the entry `seq` with all of theirs, whatever the retention says. */
  forget(seq: number): void {
    if (seq > this.#start.seq) this.#cut({ seq, bytes: 0, at: 0 });
  }

  /** Removes what is far enough beyond the retention to pay; every append and every read does it first. */
  trimWhenDue(): void {
    if (this.#isTrimming) return;
    const { clock, retention } = this.#options;
    const dueAt = this.trimAt;
    const isOld = dueAt !== undefined && clock.now() > dueAt;
    if (isOld || isOverfull(retention, this.#start, this.#end)) this.trim();
  }

  #cut(cut: Cut): void {
    const oldest = this.#rows.surviving(cut);
    const start = oldest?.mark ?? this.#end;
    if (start.seq === this.#start.seq) return;
    if (!this.#mayRemove(start.seq)) return;
    // The rows told where the log ends; without any, this does.
    if (oldest === undefined) {
      this.#meta.set(FLOOR, JSON.stringify({ ...this.#end, at: this.#newestAt }));
    }
    this.#rows.deleteUpTo(start.seq);
    this.#start = start;
    this.#oldestAt = oldest?.at;
  }

  /** Whoever is told reads what goes, which must not trim again. */
  #mayRemove(upTo: number): boolean {
    this.#isTrimming = true;
    try {
      return this.#options.beforeTrim?.(this, upTo) !== false;
    } finally {
      this.#isTrimming = false;
    }
  }

  /** Rows that probably fill a page; an error costs a shorter page or rows read for nothing. */
  #rowsWorthReading(maxBytes: number, maxEntries: number): number {
    const { rows, bytes } = this.stats;
    const guess = Math.ceil((2 * maxBytes * rows) / Math.max(bytes, 1));
    return Math.min(Math.max(guess, MIN_PAGE_ROWS), MAX_PAGE_ROWS, Math.max(maxEntries, 1));
  }

  #gapAfter(seq: number): Gap | undefined {
    if (seq > this.tail) return { kind: "gap", reason: "future", from: 0, to: this.tail };
    if (seq >= this.#start.seq) return undefined;
    return { kind: "gap", reason: "trimmed", from: seq + 1, to: this.#start.seq };
  }

  #begin(previous: string | undefined): string {
    const epoch = nextEpoch(previous, this.#options.clock, this.#options.random);
    this.#meta.set(EPOCH, epoch);
    return epoch;
  }

  /** Learns from the first and the last row, or from the floor when there is none, what is stored. */
  #measure(storedFloor: string | undefined): void {
    const oldest = this.#rows.oldest();
    const newest = this.#rows.newest();
    const floor = storedFloor === undefined ? { ...BEGINNING, at: 0 } : parseFloor(storedFloor);
    this.#start = oldest?.mark ?? floor;
    this.#end = newest?.mark ?? floor;
    this.#oldestAt = oldest?.at;
    this.#newestAt = newest?.at ?? floor.at;
  }
}
