/**
 * Owns how many connections one caller has open, and how many answers are being written for it: a slot
 * each, taken before it begins. Refuses to know sockets and answers.
 *
 * A slot is given back when what it is for ends. One whose end nobody told of (an object that
 * was restarted, an isolate that died) is found when it is in somebody's way: then those who hold
 * the oldest slots are asked.
 */
import { SLOT_RECHECK_MS, SLOT_SETTLE_MS, SLOTS_ASKED } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { numberIn, readOne, type Sql, textIn, write } from "../log/sql.ts";

/** What slots are counted for, each with a limit of its own. */
export type Pool = "connections" | "generations";

/** What holds a slot: an object that can be asked, or nobody but the Worker that answers. */
type HolderKind = "room" | "room-replica" | "topic" | "generation" | "answer";

/** A connection that is about to be opened, or an answer that is about to be written. */
export interface Slot {
  readonly id: string;
  readonly pool: Pool;
  /** Slots of one group count as one: requests for the same answer, answers that replace each other. */
  readonly group: string;
  readonly kind: HolderKind;
  /** The name of the object that holds it. */
  readonly name: string;
  /** When it has certainly ended, in milliseconds since 1970; null for one whose holder can be asked. */
  readonly until: number | null;
}

export class Slots {
  readonly #sql: Sql;
  readonly #clock: Clock;
  /** When the holder of a slot was last asked. */
  readonly #asked = new Map<string, number>();

  constructor(sql: Sql, clock: Clock) {
    this.#sql = sql;
    this.#clock = clock;
    write(
      sql,
      `CREATE TABLE IF NOT EXISTS quota_held (
        id TEXT PRIMARY KEY, pool TEXT NOT NULL, counts_as TEXT NOT NULL, kind TEXT NOT NULL,
        name TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER) WITHOUT ROWID`,
    );
  }

  /** Whether no slot is taken. */
  get isEmpty(): boolean {
    return readOne(this.#sql, "SELECT 1 FROM quota_held LIMIT 1") === undefined;
  }

  /** Takes a slot; false when there are as many of other groups as there may be. */
  take(slot: Slot, limit: number): boolean {
    const { id, pool, group, kind, name, until } = slot;
    if (this.#others(slot) >= limit) this.expire();
    if (this.#others(slot) >= limit) return false;
    write(
      this.#sql,
      "INSERT OR REPLACE INTO quota_held (id, pool, counts_as, kind, name, since, until) VALUES (?, ?, ?, ?, ?, ?, ?)",
      id,
      pool,
      group,
      kind,
      name,
      this.#clock.now(),
      until,
    );
    return true;
  }

  /** Gives up slots of what has certainly ended. */
  expire(): void {
    write(this.#sql, "DELETE FROM quota_held WHERE until <= ?", this.#clock.now());
  }

  /** What a slot was for has ended, or has never begun. */
  release(id: string): void {
    this.#asked.delete(id);
    write(this.#sql, "DELETE FROM quota_held WHERE id = ?", id);
  }

  /**
   * The slots of a pool whose holders should be asked whether they still hold them: old enough to have
   * been opened, and not asked for lately. Noted as asked.
   */
  suspects(pool: Pool): readonly Slot[] {
    const now = this.#clock.now();
    const rows = this.#sql
      .exec(
        `SELECT id, counts_as, kind, name FROM quota_held
         WHERE pool = ? AND until IS NULL AND since <= ? ORDER BY since`,
        pool,
        now - SLOT_SETTLE_MS,
      )
      .toArray();
    const slots = rows
      .map((row) => ({
        id: textIn(row, "id"),
        pool,
        group: textIn(row, "counts_as"),
        // Written by `take`, which is given nothing else.
        kind: textIn(row, "kind") as HolderKind,
        name: textIn(row, "name"),
        until: null,
      }))
      .filter(
        ({ id }) => now - (this.#asked.get(id) ?? Number.NEGATIVE_INFINITY) >= SLOT_RECHECK_MS,
      )
      .slice(0, SLOTS_ASKED);
    for (const { id } of slots) this.#asked.set(id, now);
    return slots;
  }

  #others({ pool, group }: Slot): number {
    const row = readOne(
      this.#sql,
      "SELECT count(DISTINCT counts_as) AS count FROM quota_held WHERE pool = ? AND counts_as <> ?",
      pool,
      group,
    );
    return row === undefined ? 0 : numberIn(row, "count");
  }
}
