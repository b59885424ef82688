/**
 * Owns the events that wait for their receiver, in order, in the database of the object where they
 * happened: an event is stored in the turn that makes it true. Refuses to know how they are sent.
 */
import {
  MAX_WEBHOOK_QUEUE,
  WEBHOOK_FIRST_PAUSE_MS,
  WEBHOOK_MAX_AGE_MS,
  WEBHOOK_MAX_PAUSE_MS,
} from "../../src/protocol/limits.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import { numberIn, readOne, type Sql, textIn, write } from "../log/sql.ts";

/** An event that waits. */
export interface Waiting {
  /** The same for each attempt, so that who has it already knows it again. */
  readonly id: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Attempts that failed. */
  readonly failures: number;
  /** When the next one is due. */
  readonly dueAt: number;
}

const TABLE = "webhook_outbox";

/**
 * The row of an event, which is mostly the first. Nothing else names a row: it has another number once
 * the database was emptied, and that can happen while the event is being sent.
 */
const NUMBER_OF = `(SELECT number FROM ${TABLE} WHERE id = ? ORDER BY number LIMIT 1)`;

export class Outbox {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Whether anything may wait; an object asks with every message. */
  #mayWait: boolean;

  constructor(sql: Sql, clock: Clock, random: Random) {
    this.#sql = sql;
    this.#clock = clock;
    this.#random = random;
    this.#mayWait = this.#exists;
  }

  /**
   * Where nothing is told, nothing is stored. Looked for each time: what made the table may have been taken
   * back, and the database may have been emptied.
   */
  get #exists(): boolean {
    return readOne(this.#sql, "SELECT 1 FROM sqlite_master WHERE name = ?", TABLE) !== undefined;
  }

  /** The event whose turn it is; nothing overtakes it. */
  get head(): Waiting | undefined {
    if (!this.#mayWait) return undefined;
    const [head] = this.#read("ORDER BY number LIMIT 1");
    this.#mayWait = head !== undefined;
    return head;
  }

  /** All that waits, to be put into another database or into this one when it was emptied. */
  get all(): readonly Waiting[] {
    return this.#mayWait ? this.#read("ORDER BY number") : [];
  }

  /** Stores an event; returns how many old ones it has driven out. */
  add(event: Pick<Waiting, "id" | "body">): number {
    const now = this.#clock.now();
    this.#insert({ ...event, at: now, failures: 0, dueAt: now });
    return write(
      this.#sql,
      `DELETE FROM ${TABLE} WHERE number <= (SELECT max(number) FROM ${TABLE}) - ?`,
      MAX_WEBHOOK_QUEUE,
    );
  }

  /** Puts back what {@link all} gave, when the database was emptied since. */
  restore(events: readonly Waiting[]): void {
    for (const event of events) this.#insert(event);
  }

  /** An event has arrived, or is given up. */
  remove({ id }: Pick<Waiting, "id">): void {
    if (this.#exists) write(this.#sql, `DELETE FROM ${TABLE} WHERE number = ${NUMBER_OF}`, id);
  }

  /** Removes what is too old; returns how many events that were. */
  expire(): number {
    if (!this.#exists) return 0;
    const oldest = this.#clock.now() - WEBHOOK_MAX_AGE_MS;
    return write(this.#sql, `DELETE FROM ${TABLE} WHERE at <= ?`, oldest);
  }

  /**
   * An attempt has failed: twice as long until the next, with jitter, because the receiver of all
   * objects is one.
   *
   * @param leastMs what the receiver has asked for.
   */
  postpone({ id, failures }: Waiting, leastMs: number): void {
    if (!this.#exists) return;
    const ceiling = Math.min(WEBHOOK_MAX_PAUSE_MS, WEBHOOK_FIRST_PAUSE_MS * 2 ** failures);
    const pauseMs = Math.min(WEBHOOK_MAX_PAUSE_MS, Math.max(leastMs, ceiling / 2));
    const dueAt = this.#clock.now() + Math.ceil(pauseMs + (this.#random() * ceiling) / 2);
    write(
      this.#sql,
      `UPDATE ${TABLE} SET failures = ?, due = ? WHERE number = ${NUMBER_OF}`,
      failures + 1,
      dueAt,
      id,
    );
  }

  #insert({ id, body, at, failures, dueAt }: Waiting): void {
    this.#mayWait = true;
    write(
      this.#sql,
      `CREATE TABLE IF NOT EXISTS ${TABLE} (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL, body TEXT NOT NULL,
        at INTEGER NOT NULL, failures INTEGER NOT NULL, due INTEGER NOT NULL)`,
    );
    write(
      this.#sql,
      `INSERT INTO ${TABLE} (id, body, at, failures, due) VALUES (?, ?, ?, ?, ?)`,
      id,
      body,
      at,
      failures,
      dueAt,
    );
  }

  #read(rest: string): readonly Waiting[] {
    if (!this.#exists) return [];
    return this.#sql
      .exec(`SELECT id, body, at, failures, due FROM ${TABLE} ${rest}`)
      .toArray()
      .map((row) => ({
        id: textIn(row, "id"),
        body: textIn(row, "body"),
        at: numberIn(row, "at"),
        failures: numberIn(row, "failures"),
        dueAt: numberIn(row, "due"),
      }));
  }
}
