/**
 * Owns a database in memory behind the interface the cores use. Refuses to know any table.
 * It counts what the platform would charge for, and notices cursors that nobody read to the end.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Sql, SqlCursor, SqlRow, SqlValue } from "../../durable-objects/log/sql.ts";

export class MemorySql implements Sql {
  readonly #database = new DatabaseSync(":memory:");
  readonly #prepared = new Map<string, StatementSync>();
  #openCursors = 0;
  #rowsWritten = 0;
  #statements = 0;
  #blobBytesRead = 0;

  /** Cursors that were opened and not read to their end. */
  get openCursors(): number {
    return this.#openCursors;
  }

  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  /** Statements run so far. */
  get statements(): number {
    return this.#statements;
  }

  /** Bytes of all blobs that were handed out. */
  get blobBytesRead(): number {
    return this.#blobBytesRead;
  }

  /** Every different text that was run. */
  get queries(): readonly string[] {
    return [...this.#prepared.keys()];
  }

  exec(query: string, ...bindings: SqlValue[]): SqlCursor {
    this.#statements += 1;
    // Several at once, like the platform; here only those without results.
    if (/;\s*\S/.test(query)) {
      this.#database.exec(query);
      return { rowsWritten: 0, toArray: () => [], [Symbol.iterator]: () => [].values() };
    }
    let statement = this.#prepared.get(query);
    if (statement === undefined) {
      statement = this.#database.prepare(query);
      this.#prepared.set(query, statement);
    }
    const values = bindings.map((value) =>
      value instanceof ArrayBuffer ? new Uint8Array(value) : value,
    );
    if (statement.columns().length > 0) return this.#read(statement, values);
    // Like the platform: a statement without results has run when `exec` returns.
    const changes = Number(statement.run(...values).changes);
    const rowsWritten = /^\s*(INSERT|UPDATE|DELETE)/.test(query) ? changes : 0;
    this.#rowsWritten += rowsWritten;
    return { rowsWritten, toArray: () => [], [Symbol.iterator]: () => [].values() };
  }

  /** Runs statements of which all count or, when it throws, none. */
  transact(run: () => void): void {
    this.#database.exec("SAVEPOINT all_or_none");
    try {
      run();
      this.#database.exec("RELEASE all_or_none");
    } catch (error) {
      this.#database.exec("ROLLBACK TO all_or_none; RELEASE all_or_none");
      throw error;
    }
  }

  /** How SQLite would run `query`, one line a step. */
  explain(query: string): readonly string[] {
    const count = query.split("?").length - 1;
    return this.#database
      .prepare(`EXPLAIN QUERY PLAN ${query}`)
      .all(...Array.from({ length: count }, () => 0))
      .map((row) => String(row["detail"]));
  }

  #read(statement: StatementSync, values: (string | number | null | Uint8Array)[]): SqlCursor {
    this.#openCursors += 1;
    const rows = this.#iterate(statement, values);
    return { rowsWritten: 0, toArray: () => [...rows], [Symbol.iterator]: () => rows };
  }

  *#iterate(
    statement: StatementSync,
    values: (string | number | null | Uint8Array)[],
  ): IterableIterator<SqlRow> {
    for (const row of statement.iterate(...values)) {
      for (const value of Object.values(row)) {
        if (value instanceof Uint8Array) this.#blobBytesRead += value.byteLength;
      }
      yield row as SqlRow;
    }
    this.#openCursors -= 1;
  }
}
