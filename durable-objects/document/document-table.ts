/**
 * Owns the table of documents and every statement on it. Refuses to know what a state says, and when one is
 * written.
 *
 * A state is cut into rows; the first carries what there is to know of the whole. The table is made with the
 * first document.
 */
import { concat } from "../../src/protocol/bytes.ts";
import { bytesIn, numberIn, readOne, type Sql, type SqlRow, textIn, write } from "../log/sql.ts";
import { PART_BYTES } from "./limits.ts";

/** What is known of a document without reading it. */
export interface DocumentFacts {
  /** Counts the states that were stored. */
  readonly version: number;
  /** When the last one was, in milliseconds since the Unix epoch. */
  readonly at: number;
  /** Bytes of it. */
  readonly bytes: number;
  /** It was deleted, and stays so. */
  readonly isGone: boolean;
}

const TABLE = `
  CREATE TABLE documents (
    name TEXT NOT NULL, part INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL,
    size INTEGER NOT NULL, gone INTEGER NOT NULL, state BLOB NOT NULL,
    PRIMARY KEY (name, part)) WITHOUT ROWID;`;

export class DocumentTable {
  readonly #sql: Sql;
  #isMade: boolean;
  #rowsWritten = 0;

  constructor(sql: Sql) {
    this.#sql = sql;
    const query = "SELECT 1 FROM sqlite_master WHERE name = 'documents'";
    this.#isMade = readOne(sql, query) !== undefined;
  }

  /** Rows written through this object. */
  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  /** Every document by name. */
  all(): Map<string, DocumentFacts> {
    if (!this.#isMade) return new Map();
    const query = "SELECT name, version, at, size, gone FROM documents WHERE part = 0";
    const rows = this.#sql.exec(query).toArray();
    return new Map(rows.map((row) => [textIn(row, "name"), factsIn(row)]));
  }

  /** The state of a document that was stored. */
  read(name: string): Uint8Array {
    const query = "SELECT state FROM documents WHERE name = ? ORDER BY part";
    return concat(
      this.#sql
        .exec(query, name)
        .toArray()
        .map((row) => bytesIn(row, "state")),
    );
  }

  /** Puts a state in the place of the former one. */
  write(name: string, { version, at, bytes, isGone }: DocumentFacts, state: Uint8Array): void {
    if (!this.#isMade) write(this.#sql, TABLE);
    this.#isMade = true;
    let part = 0;
    do {
      const piece = state.subarray(part * PART_BYTES, (part + 1) * PART_BYTES);
      this.#rowsWritten += write(
        this.#sql,
        `INSERT INTO documents (name, part, version, at, size, gone, state) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (name, part) DO UPDATE SET version = excluded.version, at = excluded.at,
           size = excluded.size, gone = excluded.gone, state = excluded.state`,
        name,
        part,
        version,
        at,
        bytes,
        Number(isGone),
        piece,
      );
      part += 1;
    } while (part * PART_BYTES < state.byteLength);
    // A state may be shorter than the one before.
    const rest = "DELETE FROM documents WHERE name = ? AND part >= ?";
    this.#rowsWritten += write(this.#sql, rest, name, part);
  }
}

function factsIn(row: SqlRow): DocumentFacts {
  return {
    version: numberIn(row, "version"),
    at: numberIn(row, "at"),
    bytes: numberIn(row, "size"),
    isGone: numberIn(row, "gone") === 1,
  };
}
