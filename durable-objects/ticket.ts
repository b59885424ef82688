/**
 * Owns tickets that wait to be used: each is given out once, whoever asks at the same time, and
 * forgotten when its time is over. Refuses to know what they open.
 */
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../src/stream/clock.ts";
import { readOne, textIn, write } from "./log/sql.ts";
import { Alarm } from "./platform/alarm.ts";

/** Milliseconds after the end of a ticket's time in which it is removed together with others. */
const SWEEP_AFTER_MS = 60_000;

export class TicketObject extends DurableObject {
  readonly #alarm: Alarm;

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as Cloudflare.Env);
    this.#alarm = new Alarm(ctx.storage);
    void ctx.blockConcurrencyWhile(() => this.#alarm.restore());
    write(
      ctx.storage.sql,
      "CREATE TABLE IF NOT EXISTS tickets (hash TEXT PRIMARY KEY, opens TEXT, until INTEGER) WITHOUT ROWID",
    );
  }

  /** Keeps what a ticket opens. @param untilMs milliseconds since 1970. */
  keep(hash: string, opens: string, untilMs: number): void {
    const { sql } = this.ctx.storage;
    write(sql, "INSERT INTO tickets (hash, opens, until) VALUES (?, ?, ?)", hash, opens, untilMs);
    this.#alarm.schedule(untilMs + SWEEP_AFTER_MS);
  }

  /** What a ticket opens, once; undefined when it was used, is too old or never was. */
  take(hash: string): string | undefined {
    const { sql } = this.ctx.storage;
    const now = systemClock.now();
    const row = readOne(sql, "SELECT opens FROM tickets WHERE hash = ? AND until > ?", hash, now);
    // In the same turn: whoever asks next finds nothing.
    write(sql, "DELETE FROM tickets WHERE hash = ?", hash);
    return row === undefined ? undefined : textIn(row, "opens");
  }

  override alarm(): void {
    this.#alarm.rang();
    const { sql } = this.ctx.storage;
    write(sql, "DELETE FROM tickets WHERE until <= ?", systemClock.now());
    // One look for all that came meanwhile.
    const left = readOne(sql, "SELECT 1 FROM tickets LIMIT 1");
    if (left !== undefined) this.#alarm.schedule(systemClock.now() + SWEEP_AFTER_MS);
  }
}
