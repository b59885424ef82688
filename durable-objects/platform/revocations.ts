/**
 * Owns whose tokens count no longer at one object, for as long as such a token could last. Refuses to
 * know who revokes them, and to close anything.
 */
import { SluiceError } from "../../src/protocol/errors.ts";
import { CLOCK_SKEW_S, MAX_REVOCATIONS } from "../../src/protocol/limits.ts";
import type { Permit } from "../../src/protocol/permit.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { numberIn, readOne, type Sql, textIn, write } from "../log/sql.ts";

/** Whose tokens, or which one. */
export type Revoked = { readonly subject: string } | { readonly tokenId: string };

/** What is known of the bearer of a token. */
export type Bearing = Pick<Permit, "subject" | "tokenId" | "issuedAt">;

/** When something was revoked, and until when that matters; seconds since 1970. */
interface Entry {
  readonly at: number;
  readonly until: number;
}

const TABLE = "revocations";

export class Revocations {
  readonly #sql: Sql;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #isStored: boolean;

  constructor(sql: Sql, clock: Clock) {
    this.#sql = sql;
    this.#clock = clock;
    this.#isStored =
      readOne(sql, "SELECT 1 FROM sqlite_master WHERE name = ?", TABLE) !== undefined;
    if (!this.#isStored) return;
    for (const row of sql.exec(`SELECT name, at, until FROM ${TABLE}`).toArray()) {
      const entry = { at: numberIn(row, "at"), until: numberIn(row, "until") };
      this.#entries.set(textIn(row, "name"), entry);
    }
  }

  /**
   * From now on tokens made before now do not count, by the issuer's clock, which may be ahead. Who
   * has none that says when it was made has to wait.
   *
   * @param lifetimeS how long a token can last from now.
   * @throws SluiceError `too_many_revocations`.
   */
  add(revoked: Revoked, lifetimeS: number): void {
    const now = Math.floor(this.#clock.now() / 1_000);
    this.#forgetPast(now);
    const name = nameOf(revoked);
    if (!this.#entries.has(name) && this.#entries.size >= MAX_REVOCATIONS) {
      throw new SluiceError("too_many_revocations");
    }
    if (!this.#isStored) {
      write(
        this.#sql,
        `CREATE TABLE ${TABLE} (name TEXT PRIMARY KEY, at INTEGER, until INTEGER) WITHOUT ROWID`,
      );
      this.#isStored = true;
    }
    const entry = { at: now, until: now + lifetimeS };
    this.#entries.set(name, entry);
    write(
      this.#sql,
      `INSERT OR REPLACE INTO ${TABLE} (name, at, until) VALUES (?, ?, ?)`,
      name,
      entry.at,
      entry.until,
    );
  }

  /** Whether a bearer's token counts no longer. */
  has({ subject, tokenId, issuedAt }: Bearing): boolean {
    if (this.#entries.size === 0) return false;
    if (tokenId !== undefined && this.#find({ tokenId }) !== undefined) return true;
    const entry = subject === undefined ? undefined : this.#find({ subject });
    // A token made later, whatever the issuer's clock says, was made by somebody who knew.
    return entry !== undefined && (issuedAt === undefined || issuedAt <= entry.at + CLOCK_SKEW_S);
  }

  /**
   * Lets a request pass whose token counts.
   *
   * @throws SluiceError `token_revoked`.
   */
  check(bearing: Bearing | undefined): void {
    if (bearing !== undefined && this.has(bearing)) throw new SluiceError("token_revoked");
  }

  /** What is past its time is removed by the next revocation, and counts no more until then. */
  #find(revoked: Revoked): Entry | undefined {
    const entry = this.#entries.get(nameOf(revoked));
    return entry !== undefined && entry.until > this.#clock.now() / 1_000 ? entry : undefined;
  }

  #forgetPast(now: number): void {
    for (const [name, { until }] of this.#entries) {
      if (until > now) continue;
      this.#entries.delete(name);
      write(this.#sql, `DELETE FROM ${TABLE} WHERE name = ?`, name);
    }
  }
}

function nameOf(revoked: Revoked): string {
  return "subject" in revoked ? `sub:${revoked.subject}` : `jti:${revoked.tokenId}`;
}
