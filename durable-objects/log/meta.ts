/**
 * Owns small named texts that live as long as their log: the log's own state and its owner's
 * settings. Refuses to know what they mean.
 */
import { readOne, type Sql, textIn, write } from "./sql.ts";

/** Names and texts under one scope; each change writes one row. */
export class Meta {
  readonly #sql: Sql;
  readonly #table: string;
  readonly #scope: string;
  #rowsWritten = 0;

  /** @param scope begins every name, so that two users of one table never meet. */
  constructor(sql: Sql, table: string, scope: string) {
    this.#sql = sql;
    this.#table = table;
    this.#scope = `${scope}.`;
  }

  /** Rows written through this object. */
  get rowsWritten(): number {
    return this.#rowsWritten;
  }

  get(name: string): string | undefined {
    const row = readOne(
      this.#sql,
      `SELECT value FROM ${this.#table} WHERE name = ?`,
      this.#scope + name,
    );
    return row === undefined ? undefined : textIn(row, "value");
  }

  /** Everything under the scope at the cost of one statement. */
  all(): ReadonlyMap<string, string> {
    // The character after the dot bounds the range: an index search, whatever the names are.
    const rows = this.#sql
      .exec(
        `SELECT name, value FROM ${this.#table} WHERE name >= ? AND name < ?`,
        this.#scope,
        `${this.#scope.slice(0, -1)}/`,
      )
      .toArray();
    return new Map(
      rows.map((row) => [textIn(row, "name").slice(this.#scope.length), textIn(row, "value")]),
    );
  }

  set(name: string, value: string): void {
    this.#write([[name, value]]);
  }

  /** Sets several by one statement; one of them at least. */
  setAll(texts: Readonly<Record<string, string>>): void {
    this.#write(Object.entries(texts));
  }

  #write(pairs: readonly (readonly [name: string, value: string])[]): void {
    this.#rowsWritten += write(
      this.#sql,
      `INSERT INTO ${this.#table} (name, value) VALUES ${pairs.map(() => "(?, ?)").join()}
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      ...pairs.flatMap(([name, value]) => [this.#scope + name, value]),
    );
  }

  delete(name: string): void {
    this.#rowsWritten += write(
      this.#sql,
      `DELETE FROM ${this.#table} WHERE name = ?`,
      this.#scope + name,
    );
  }

  /** Deletes everything under the scope. */
  clear(): void {
    for (const name of this.all().keys()) this.delete(name);
  }
}
