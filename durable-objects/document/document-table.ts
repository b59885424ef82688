/**
 * Owns the table of documents and every statement on it. Refuses to know what is in a document, and when it is
 * written.
 *
 * A document is the sum of its parts, which are updates; a part that is too large for a row is cut into pieces. The
 * table is made with the first document.
 */
import { concat } from "../../src/protocol/bytes.ts";
import { bytesIn, numberIn, readOne, type Sql, textIn, write } from "../log/sql.ts";
import { PIECE_BYTES } from "./limits.ts";

/** What is known of a part without reading it. */
export interface Part {
  /** Larger than that of any part that was stored before. */
  readonly number: number;
  readonly bytes: number;
}

/** What is known of a document without reading it. */
export interface DocumentFacts {
  /** When it was stored last, in milliseconds since the Unix epoch. */
  readonly at: number;
  /** Oldest first. */
  readonly parts: readonly Part[];
  /** It was deleted, and stays so. */
  readonly isGone: boolean;
}

const TABLE = `
  CREATE TABLE documents (
    name TEXT NOT NULL, part INTEGER NOT NULL, piece INTEGER NOT NULL, at INTEGER NOT NULL,
    size INTEGER NOT NULL, gone INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (name, part, piece)) WITHOUT ROWID;`;

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
    const documents = new Map<string, DocumentFacts>();
    if (!this.#isMade) return documents;
    const query =
      "SELECT name, part, at, size, gone FROM documents WHERE piece = 0 ORDER BY name, part";
    for (const row of this.#sql.exec(query).toArray()) {
      const name = textIn(row, "name");
      const part = { number: numberIn(row, "part"), bytes: numberIn(row, "size") };
      const at = numberIn(row, "at");
      const isGone = numberIn(row, "gone") === 1;
      documents.set(name, { at, parts: [...(documents.get(name)?.parts ?? []), part], isGone });
    }
    return documents;
  }

  /** A part that was stored. */
  read(name: string, { number }: Part): Uint8Array {
    const query = "SELECT content FROM documents WHERE name = ? AND part = ? ORDER BY piece";
    const pieces = this.#sql.exec(query, name, number).toArray();
    return concat(pieces.map((row) => bytesIn(row, "content")));
  }

  /** Makes the table, if it is not there; not within a transaction, which might take it back. */
  make(): void {
    if (!this.#isMade) write(this.#sql, TABLE);
    this.#isMade = true;
  }

  /** Stores a part that is not there yet. */
  insert(name: string, { at, number, isGone }: Stored, content: Uint8Array): Part {
    let piece = 0;
    do {
      this.#rowsWritten += write(
        this.#sql,
        "INSERT INTO documents (name, part, piece, at, size, gone, content) VALUES (?, ?, ?, ?, ?, ?, ?)",
        name,
        number,
        piece,
        at,
        content.byteLength,
        Number(isGone),
        content.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES),
      );
      piece += 1;
    } while (piece * PIECE_BYTES < content.byteLength);
    return { number, bytes: content.byteLength };
  }

  /** Removes the parts `from` to `to`, both included. */
  remove(name: string, from: number, to: number): void {
    this.#rowsWritten += write(
      this.#sql,
      "DELETE FROM documents WHERE name = ? AND part >= ? AND part <= ?",
      name,
      from,
      to,
    );
  }
}

/** What is stored with a part. */
interface Stored {
  readonly number: number;
  readonly at: number;
  readonly isGone: boolean;
}
