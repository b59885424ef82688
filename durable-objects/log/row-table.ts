/**
 * Owns the table of a log's rows and every statement on it. Refuses to know when something is
 * written, read or removed.
 *
 * Rows are consecutive, and a row carries the totals of the log up to its end: the first and the last
 * row tell how much is stored. Every statement starts from a key and is bounded.
 */
import { MAX_PAGE_ROWS, MAX_ROW_BYTES } from "./limits.ts";
import type { Cut, Mark } from "./retention.ts";
import { bytesIn, numberIn, readOne, type Sql, type SqlRow, textIn, write } from "./sql.ts";

/** Consecutive entries: entry `i` has the sequence number `first + i`. */
export interface Piece {
  readonly first: number;
  readonly count: number;
  /** The encoded entries, one after the other. */
  readonly entries: Uint8Array;
}

/** What is stored with the entries of a flush. */
interface RowFacts {
  /** Milliseconds since the Unix epoch; never less than that of an earlier row. */
  readonly at: number;
  readonly ids: string;
  /** Totals of the log up to the end of this row. */
  readonly end: Mark;
}

/** The ids stored with a flush. */
export interface RowIds {
  readonly first: number;
  readonly ids: string;
}

/** A flush's place and its bytes. */
export interface RowSize {
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
}

/** What lies at one end of the stored rows. */
export interface End {
  /** Totals before the oldest row, or up to the end of the newest. */
  readonly mark: Mark;
  readonly at: number;
}

/** What a page may hold; the row that holds entry `from` always belongs to it. */
interface PageBounds {
  readonly from: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxRows: number;
}

const MARK_COLUMNS = "first, count, at, size, total, number";

export class RowTable {
  readonly #sql: Sql;
  readonly #table: string;
  /** Made once: every message waits for it. */
  readonly #insertion: string;
  #rowsWritten = 0;

  constructor(sql: Sql, table: string) {
    this.#sql = sql;
    this.#table = table;
    this.#insertion = `INSERT INTO ${table} (first, count, at, size, total, number, ids, entries)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
  }

  /** Rows written through this object. */
  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  insert({ first, count, entries }: Piece, { at, ids, end }: RowFacts): void {
    this.#write(
      this.#insertion,
      first,
      count,
      at,
      entries.byteLength,
      end.bytes,
      end.rows,
      ids,
      entries,
    );
  }

  /** The rows of a page as one piece; what would not fit is not loaded. */
  page({ from, maxEntries, maxBytes, maxRows }: PageBounds): Piece | undefined {
    const holding = `FROM ${this.#table} WHERE first <= ? ORDER BY first DESC LIMIT 1`;
    const row = readOne(
      this.#sql,
      // Joined by the database: handing over row by row costs ten times as much. A blob is joined byte
      // for byte, as text of the database's own encoding is. Whether a row fits is asked before its
      // bytes are touched, and from the first that does not, none does.
      `SELECT min(first) AS first, sum(count) AS count, CAST(group_concat(entries, '') AS BLOB) AS entries
       FROM (SELECT first, count, CASE WHEN first <= ?
           OR (first + count <= ? AND total <= ? + (SELECT total - size ${holding}))
           THEN entries END AS entries
         FROM ${this.#table} WHERE first >= (SELECT first ${holding}) ORDER BY first LIMIT ?)
       WHERE entries IS NOT NULL`,
      from,
      from + maxEntries,
      // The joined bytes are a value of the database, bounded as a row is.
      Math.min(maxBytes, MAX_ROW_BYTES),
      from,
      from,
      maxRows,
    );
    if (row === undefined || row["first"] === null) return undefined;
    return {
      first: numberIn(row, "first"),
      count: numberIn(row, "count"),
      entries: bytesIn(row, "entries"),
    };
  }

  /** Where the newest `limit` rows that reach beyond `seq` end, and their bytes, oldest first. */
  sizesAfter(seq: number, limit: number): readonly RowSize[] {
    return this.#sql
      .exec(
        `SELECT first, count, size FROM ${this.#table} WHERE first >= coalesce(
           (SELECT first FROM ${this.#table} WHERE first <= ? ORDER BY first DESC LIMIT 1), 0)
         ORDER BY first DESC LIMIT ?`,
        seq + 1,
        limit,
      )
      .toArray()
      .map((row) => ({
        first: numberIn(row, "first"),
        last: numberIn(row, "first") + numberIn(row, "count") - 1,
        bytes: numberIn(row, "size"),
      }))
      .toReversed();
  }

  /** Bytes of the log up to the end of the row that holds the entry `seq`; undefined when none does. */
  totalAt(seq: number): number | undefined {
    const row = readOne(
      this.#sql,
      `SELECT total FROM ${this.#table} WHERE first > 0 AND first <= ? ORDER BY first DESC LIMIT 1`,
      seq,
    );
    return row === undefined ? undefined : numberIn(row, "total");
  }

  /** The ids of the rows that hold the entries `oldest` to `newest`, newest first. */
  *idsBetween(oldest: number, newest: number): IterableIterator<RowIds> {
    let before = newest + 1;
    while (before > oldest) {
      // In portions, read to their end: whoever stops early leaves no cursor behind. Not gathered into
      // one text, which could outgrow what the platform allows.
      const rows = this.#sql
        .exec(
          `SELECT first, ids FROM ${this.#table} WHERE first < ? ORDER BY first DESC LIMIT ?`,
          before,
          Math.min(MAX_PAGE_ROWS, before - oldest),
        )
        .toArray();
      if (rows.length === 0) return;
      for (const row of rows) {
        if (before <= oldest) return;
        before = numberIn(row, "first");
        yield { first: before, ids: textIn(row, "ids") };
      }
    }
  }

  /** Where the stored rows begin. */
  oldest(): End | undefined {
    const query = `SELECT ${MARK_COLUMNS} FROM ${this.#table} WHERE first > 0 ORDER BY first LIMIT 1`;
    const row = readOne(this.#sql, query);
    return row === undefined ? undefined : endBefore(row);
  }

  /** Where the stored rows end. */
  newest(): End | undefined {
    const query = `SELECT ${MARK_COLUMNS} FROM ${this.#table} WHERE first > 0 ORDER BY first DESC LIMIT 1`;
    const row = readOne(this.#sql, query);
    if (row === undefined) return undefined;
    const seq = numberIn(row, "first") + numberIn(row, "count") - 1;
    const mark = { seq, bytes: numberIn(row, "total"), rows: numberIn(row, "number") };
    return { mark, at: numberIn(row, "at") };
  }

  /** Where the rows begin that survive `cut`; nothing when none does. */
  surviving(cut: Cut): End | undefined {
    const row = readOne(
      this.#sql,
      // All three grow from row to row, so this stops at the first row that is kept.
      `SELECT ${MARK_COLUMNS} FROM ${this.#table}
       WHERE first > 0 AND first + count > ? + 1 AND total > ? AND at >= ? ORDER BY first LIMIT 1`,
      cut.seq,
      cut.bytes,
      cut.at,
    );
    return row === undefined ? undefined : endBefore(row);
  }

  deleteUpTo(seq: number): void {
    this.#write(`DELETE FROM ${this.#table} WHERE first <= ?`, seq);
  }

  #write(query: string, ...bindings: Parameters<Sql["exec"]>[1][]): void {
    this.#rowsWritten += write(this.#sql, query, ...bindings);
  }
}

function endBefore(row: SqlRow): End {
  const mark = {
    seq: numberIn(row, "first") - 1,
    bytes: numberIn(row, "total") - numberIn(row, "size"),
    rows: numberIn(row, "number") - 1,
  };
  return { mark, at: numberIn(row, "at") };
}
