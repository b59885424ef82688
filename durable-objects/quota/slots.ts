/**
 * Owns how many connections one caller has open: a slot each, taken before the connection is opened.
 * Refuses to know sockets.
 *
 * A slot is given back when its connection closes. One whose end nobody told of (an object that
 * was restarted, an isolate that died) is found when it is in somebody's way: then those who hold
 * the oldest slots are asked.
 */
import { SLOT_RECHECK_MS, SLOT_SETTLE_MS, SLOTS_ASKED } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { numberIn, readOne, type Sql, textIn, write } from "../log/sql.ts";

/** What holds a connection: an object that can be asked, or nobody but the Worker that answers. */
export type HolderKind = "room" | "topic" | "generation" | "answer";

/** A connection that is about to be opened. */
export interface Slot {
  readonly id: string;
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
      `CREATE TABLE IF NOT EXISTS quota_slots (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
        since INTEGER NOT NULL, until INTEGER) WITHOUT ROWID`,
    );
  }

  /** Slots that are taken. */
  get size(): number {
    const row = readOne(this.#sql, "SELECT count(*) AS count FROM quota_slots");
    return row === undefined ? 0 : numberIn(row, "count");
  }

  /** Takes a slot; false when there are `limit` already. */
  take({ id, kind, name, until }: Slot, limit: number): boolean {
    if (this.size >= limit) this.expire();
    if (this.size >= limit) return false;
    write(
      this.#sql,
      "INSERT OR REPLACE INTO quota_slots (id, kind, name, since, until) VALUES (?, ?, ?, ?, ?)",
      id,
      kind,
      name,
      this.#clock.now(),
      until,
    );
    return true;
  }

  /** Gives up slots whose connections have certainly ended. */
  expire(): void {
    write(this.#sql, "DELETE FROM quota_slots WHERE until <= ?", this.#clock.now());
  }

  /** A connection is closed, or was never opened. */
  release(id: string): void {
    this.#asked.delete(id);
    write(this.#sql, "DELETE FROM quota_slots WHERE id = ?", id);
  }

  /**
   * The slots whose holders should be asked whether they still hold them: old enough to have been
   * opened, and not asked for lately. Noted as asked.
   */
  suspects(): readonly Slot[] {
    const now = this.#clock.now();
    const rows = this.#sql
      .exec(
        "SELECT id, kind, name FROM quota_slots WHERE until IS NULL AND since <= ? ORDER BY since",
        now - SLOT_SETTLE_MS,
      )
      .toArray();
    const slots = rows
      .map((row) => ({
        id: textIn(row, "id"),
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
}
