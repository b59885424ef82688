/**
 * Owns the table of a log's rows and every statement on it. Refuses to know when something is
 * written, read or removed.
 *
 * Rows are consecutive, and a row carries the totals of the log up to its end: the first and the last
 * row tell how much is stored. Every statement starts from a key and is bounded.
 */
import { MAX_PAGE_ROWS } from "./limits.ts";
import type { Cut, Mark } from "./retention.ts";
import { bytesIn, numberIn, readOne, type Sql, type SqlRow, textIn, write } from "./sql.ts";

/** One stored flush: entry `i` has the sequence number `first + i`. */
export interface Row {
  readonly first: number;
  readonly count: number;
  /** Milliseconds since the Unix epoch; never less than that of an earlier row. */
  readonly at: number;
  /** The encoded entries, one after the other. */
  readonly entries: Uint8Array;
}

/** The ids stored with a flush. */
export interface RowIds {
  readonly first: number;
  readonly ids: string;
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
  #rowsWritten = 0;

  constructor(sql: Sql, table: string) {
    this.#sql = sql;
    this.#table = table;
  }

  /** Rows written through this object. */
  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  /** @param end totals of the log up to the end of this row. */
  insert({ first, count, at, entries }: Row, ids: string, end: Mark): void {
    this.#write(
      `INSERT INTO ${this.#table} (first, count, at, size, total, number, ids, entries)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
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

  /** The rows of a page; what would not fit is not loaded. */
  page({ from, maxEntries, maxBytes, maxRows }: PageBounds): readonly Row[] {
    const holding = `FROM ${this.#table} WHERE first <= ? ORDER BY first DESC LIMIT 1`;
    const cursor = this.#sql.exec(
      // A row that does not fit comes without its bytes, and ends the page.
      `SELECT first, count, at, CASE WHEN first <= ?
         OR (first + count <= ? AND total <= ? + (SELECT total - size ${holding})) THEN entries END
         AS entries FROM ${this.#table} WHERE first >= (SELECT first ${holding})
       ORDER BY first LIMIT ?`,
      from,
      from + maxEntries,
      maxBytes,
      from,
      from,
      maxRows,
    );
    const fitting: Row[] = [];
    let isFull = false;
    // To its end, also when the page is full: a cursor must not stay open.
    for (const row of cursor) {
      isFull ||= row["entries"] === null;
      if (!isFull) fitting.push(toRow(row));
    }
    return fitting;
  }

  /** The ids of the rows that hold the entries `oldest` to `newest`, newest first. */
  *idsBetween(oldest: number, newest: number): IterableIterator<RowIds> {
    let before = newest + 1;
    while (before > oldest) {
      // In portions, so that no cursor stays open, and each portion as one text: handing over row by
      // row would cost a multiple of the reading.
      const portion = readOne(
        this.#sql,
        `SELECT json_group_array(json_array(first, ids)) AS portion FROM
           (SELECT first, ids FROM ${this.#table} WHERE first < ? ORDER BY first DESC LIMIT ?)`,
        before,
        Math.min(MAX_PAGE_ROWS, before - oldest),
      );
      if (portion === undefined) return;
      const rows = JSON.parse(textIn(portion, "portion")) as readonly (readonly [number, string])[];
      if (rows.length === 0) return;
      for (const [first, ids] of rows.toSorted((a, b) => b[0] - a[0])) {
        if (before <= oldest) return;
        before = first;
        yield { first, ids };
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

function toRow(row: SqlRow): Row {
  return {
    first: numberIn(row, "first"),
    count: numberIn(row, "count"),
    at: numberIn(row, "at"),
    entries: bytesIn(row, "entries"),
  };
}
