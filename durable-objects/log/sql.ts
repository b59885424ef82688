/**
 * Owns the border to the database: the part of the platform's `SqlStorage` that the cores use, and
 * the checked reading of a row's columns. Refuses to know any table.
 *
 * Where blobs come back as `ArrayBuffer` or as `Uint8Array`, from here on they are `Uint8Array`.
 */

/** What a column may hold. */
export type SqlValue = string | number | null | ArrayBuffer | Uint8Array;

/** One row, by column name. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** The rows of a statement. Must be read to its end before the next `await`. */
export interface SqlCursor extends Iterable<SqlRow> {
  toArray(): readonly SqlRow[];
  /** Rows that the statement has written so far: what the platform charges for. */
  readonly rowsWritten: number;
}

/** A synchronous SQLite database; `ctx.storage.sql` is one. */
export interface Sql {
  exec(query: string, ...bindings: SqlValue[]): SqlCursor;
}

/**
 * Runs a statement without results, which is over when `exec` returns, and returns how many rows it wrote. Never
 * one with `RETURNING`: a cursor that is not read to its end makes the object's commit fail.
 */
export function write(sql: Sql, query: string, ...bindings: SqlValue[]): number {
  return sql.exec(query, ...bindings).rowsWritten;
}

/** The only row of a result that has at most one. */
export function readOne(sql: Sql, query: string, ...bindings: SqlValue[]): SqlRow | undefined {
  return sql.exec(query, ...bindings).toArray()[0];
}

/** A column that always holds a number. */
export function numberIn(row: SqlRow, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new TypeError(`column ${column} holds no number`);
  return value;
}

/** A column that always holds text. */
export function textIn(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`column ${column} holds no text`);
  return value;
}

/** A column that always holds bytes. */
export function bytesIn(row: SqlRow, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (value instanceof Uint8Array) return value;
  throw new TypeError(`column ${column} holds no bytes`);
}
