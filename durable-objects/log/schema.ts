/**
 * Owns the tables of a log and their change from one version of the code to the next. Refuses to know
 * what is written into them.
 */
import { Meta } from "./meta.ts";
import { readOne, type Sql, write } from "./sql.ts";

/** Names of the tables of one log. */
export interface Tables {
  readonly entries: string;
  readonly mail: string;
  readonly meta: string;
}

/** Names the tables of the log called `prefix`. */
export function tablesOf(prefix: string): Tables {
  if (!/^[a-z][a-z_]*$/.test(prefix)) throw new TypeError("a log's prefix is small letters and _");
  return { entries: `${prefix}_entries`, mail: `${prefix}_mail`, meta: `${prefix}_meta` };
}

/**
 * Each step lifts the tables by one version; a released step is never edited, a new one is added. A step can be
 * made again: when a write fails between it and the version, what was made stays.
 *
 * A row of `entries` carries the totals of the log up to its end, so that the first and the last row
 * tell how much is stored: no counting, no row written for keeping count.
 */
const STEPS: readonly ((tables: Tables) => string)[] = [
  ({ entries }) => `
    CREATE TABLE IF NOT EXISTS ${entries} (
      first INTEGER PRIMARY KEY, count INTEGER NOT NULL, at INTEGER NOT NULL,
      size INTEGER NOT NULL, total INTEGER NOT NULL, number INTEGER NOT NULL,
      ids TEXT NOT NULL, entries BLOB NOT NULL);`,
];

/** Made by who has a mailbox: a table costs those who wait for a new object a fraction of a millisecond. */
const MAIL = ({ mail }: Tables): string => `
  CREATE TABLE ${mail} (
    member TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
    sender TEXT NOT NULL, id TEXT NOT NULL, size INTEGER NOT NULL, content BLOB,
    PRIMARY KEY (member, number)) WITHOUT ROWID;`;

const META = ({ meta }: Tables): string =>
  `CREATE TABLE ${meta} (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;`;

/**
 * Makes the tables what this version of the code expects; does nothing when they are. Most objects are
 * new and somebody waits for them: their tables take one statement.
 *
 * @returns whether there were none, and so nothing is stored.
 */
export function migrate(sql: Sql, tables: Tables): boolean {
  const isNew = !hasTable(sql, tables.meta);
  const meta = new Meta(sql, tables.meta, "schema");
  const version = isNew ? 0 : Number(meta.get("version") ?? 0);
  if (version > STEPS.length)
    throw new Error("this log was written by a newer version of the code");
  if (version === STEPS.length) return false;
  const steps = STEPS.slice(version).map((step) => step(tables));
  write(sql, [...(isNew ? [META(tables)] : []), ...steps].join(""));
  meta.set("version", String(STEPS.length));
  return isNew;
}

/** Makes the table of a mailbox beside its log's, unless it is there. */
export function migrateMail(sql: Sql, tables: Tables): void {
  migrate(sql, tables);
  if (!hasTable(sql, tables.mail)) write(sql, MAIL(tables));
}

/** Whether a log was ever opened here; asking writes nothing. */
export function isStored(sql: Sql, prefix: string): boolean {
  return hasTable(sql, tablesOf(prefix).meta);
}

function hasTable(sql: Sql, name: string): boolean {
  return readOne(sql, "SELECT 1 FROM sqlite_master WHERE name = ?", name) !== undefined;
}
