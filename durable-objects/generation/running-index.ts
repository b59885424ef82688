/**
 * Owns which generations are being written for the chats of one caller: one for each. Refuses to know
 * the generations, and how many there may be.
 *
 * A generation that ended without saying so counts until its time is over.
 */
import type { Clock } from "../../src/stream/clock.ts";
import { readOne, type Sql, textIn, write } from "../log/sql.ts";

/** A generation that is about to start. */
export interface Reservation {
  readonly id: string;
  /** The chat that it is a turn of. */
  readonly chat: string;
  /** When it has certainly ended, in milliseconds since 1970. */
  readonly untilMs: number;
}

export class GenerationIndex {
  readonly #sql: Sql;
  readonly #clock: Clock;

  constructor(sql: Sql, clock: Clock) {
    this.#sql = sql;
    this.#clock = clock;
    write(
      sql,
      `CREATE TABLE IF NOT EXISTS running (
        id TEXT PRIMARY KEY, chat TEXT, until INTEGER NOT NULL) WITHOUT ROWID`,
    );
  }

  /** Notes a generation. Returns the one that it replaces in its chat. */
  reserve({ id, chat, untilMs }: Reservation): string | undefined {
    write(this.#sql, "DELETE FROM running WHERE until <= ?", this.#clock.now());
    const superseded = this.activeIn(chat);
    if (superseded !== undefined) this.release(superseded);
    write(
      this.#sql,
      "INSERT OR REPLACE INTO running (id, chat, until) VALUES (?, ?, ?)",
      id,
      chat,
      untilMs,
    );
    return superseded === id ? undefined : superseded;
  }

  /** A generation has ended. */
  release(id: string): void {
    write(this.#sql, "DELETE FROM running WHERE id = ?", id);
  }

  /** The generation that is being written for a chat. */
  activeIn(chat: string): string | undefined {
    const row = readOne(this.#sql, "SELECT id FROM running WHERE chat = ?", chat);
    return row === undefined ? undefined : textIn(row, "id");
  }
}
