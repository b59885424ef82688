/**
 * Owns which generations of one caller are being written: how many, and for which chats. Refuses to
 * know the generations.
 *
 * Never counts too few. A generation that ended without saying so counts until its time is over.
 */
import { SluiceError } from "../../src/protocol/errors.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { numberIn, readOne, type Sql, textIn, write } from "../log/sql.ts";

/** A generation that is about to start. */
export interface Reservation {
  readonly id: string;
  /** The chat that it is a turn of. */
  readonly chat: string | null;
  /** How many may be written at once; null for a caller who is not limited. */
  readonly limit: number | null;
  /** When it has certainly ended, in milliseconds since 1970. */
  readonly untilMs: number;
}

/** Seconds after which a refused caller may try again: an answer takes about so long. */
const RETRY_AFTER_S = 5;

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

  /**
   * Counts a generation. Returns the one that it replaces in its chat.
   *
   * @throws SluiceError `too_many_generations`.
   */
  reserve({ id, chat, limit, untilMs }: Reservation): string | undefined {
    write(this.#sql, "DELETE FROM running WHERE until <= ?", this.#clock.now());
    const superseded = chat === null ? undefined : this.activeIn(chat);
    const row = readOne(this.#sql, "SELECT count(*) AS count FROM running WHERE id <> ?", id);
    const others = row === undefined ? 0 : numberIn(row, "count");
    // The one that is replaced makes room; this one itself is not among the others.
    const replaced = superseded === undefined || superseded === id ? 0 : 1;
    if (limit !== null && others - replaced >= limit) {
      throw new SluiceError("too_many_generations", {
        detail: `At most ${limit} answers are written for you at once.`,
        retryAfter: RETRY_AFTER_S,
      });
    }
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
