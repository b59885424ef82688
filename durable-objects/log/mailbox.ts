/**
 * Owns the direct messages that wait for their members: bounded per member and in all, with an expiry.
 * Refuses to know who is present and what a message says.
 *
 * A message costs one row written when it is put, one when it is acknowledged and one when it is
 * swept: an acknowledged message loses its content and keeps its id, so that its sender's repetition,
 * also after a sleep, is not delivered again.
 */
import type { Clock } from "../../src/stream/clock.ts";
import { MailIndex } from "./mail-index.ts";
import {
  MAIL_DEDUPE_WINDOW,
  MAIL_TTL_MS,
  MAX_MAIL_BYTES,
  MAX_MAIL_BYTES_PER_MEMBER,
  MAX_MAIL_PAGE,
  MAX_MAILS,
  MAX_MAILS_PER_MEMBER,
  MAX_TRIM_DELAY_MS,
  TRIM_SLACK,
} from "./limits.ts";
import type { MessageKey } from "./message-key.ts";
import { Meta } from "./meta.ts";
import { migrateMail, tablesOf } from "./schema.ts";
import { bytesIn, numberIn, type Sql, write } from "./sql.ts";
import { type MailEnd, parseMailEnd } from "./stored-state.ts";

/** How much may wait, and for how long. */
export interface MailLimits {
  readonly perMember: number;
  readonly bytesPerMember: number;
  readonly total: number;
  readonly totalBytes: number;
  readonly ttlMs: number;
  /** Acknowledged messages whose ids are kept at least; 1 or more. */
  readonly dedupe: number;
}

const DEFAULT_LIMITS: MailLimits = {
  perMember: MAX_MAILS_PER_MEMBER,
  bytesPerMember: MAX_MAIL_BYTES_PER_MEMBER,
  total: MAX_MAILS,
  totalBytes: MAX_MAIL_BYTES,
  ttlMs: MAIL_TTL_MS,
  dedupe: MAIL_DEDUPE_WINDOW,
};

/** Where a mailbox lives and what it is given from outside. */
export interface MailboxOptions {
  readonly clock: Clock;
  /** The prefix of the log that it belongs to. */
  readonly prefix?: string;
  /** Replaces single limits. */
  readonly limits?: Partial<MailLimits>;
}

/** A message to store. */
export interface OutgoingMail extends MessageKey {
  /** Whom it is for. */
  readonly member: string;
  readonly content: Uint8Array;
}

/** What became of a message. */
export type Put =
  | { readonly kind: "stored"; readonly number: number; readonly at: number }
  /** It had been put before, under this number. */
  | { readonly kind: "duplicate"; readonly number: number }
  /** The member's share, or the whole mailbox, is full. */
  | { readonly kind: "refused"; readonly code: "mailbox_full" };

/** A message that waits. */
export interface Mail {
  readonly number: number;
  readonly at: number;
  readonly content: Uint8Array;
}

const FLOOR = "floor";

/** See the module. Numbers grow in the order of putting, over all members; some are left out. */
export class Mailbox {
  readonly #sql: Sql;
  readonly #table: string;
  readonly #meta: Meta;
  readonly #clock: Clock;
  readonly #limits: MailLimits;
  /** Read back when first needed. */
  #index: MailIndex | undefined;
  #rowsWritten = 0;

  constructor(sql: Sql, { clock, prefix = "log", limits }: MailboxOptions) {
    const tables = tablesOf(prefix);
    migrateMail(sql, tables);
    this.#sql = sql;
    this.#table = tables.mail;
    this.#meta = new Meta(sql, tables.meta, "mail");
    this.#clock = clock;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Rows written through this object. */
  get rowsWritten(): number {
    return this.#rowsWritten + this.#meta.rowsWritten;
  }

  /** Messages that wait, and their bytes. */
  get stats(): { readonly waiting: number; readonly bytes: number } {
    const { waiting, bytes } = this.#read();
    return { waiting, bytes };
  }

  /** The newest number given to any message. */
  get lastNumber(): number {
    return this.#read().end.number;
  }

  /** When the oldest message expires, in milliseconds since the Unix epoch: the owner's alarm. */
  get expiresAt(): number | undefined {
    const oldest = this.#read().oldestAt;
    return oldest === undefined ? undefined : oldest + this.#limits.ttlMs;
  }

  /** Stores a message, unless it is stored already or there is no room for it. */
  put({ member, sender, id, content }: OutgoingMail): Put {
    const known = this.#read().find({ sender, id });
    if (known !== undefined) return { kind: "duplicate", number: known };
    this.#removeExpired(
      this.#cutoff() - Math.min(this.#limits.ttlMs * TRIM_SLACK, MAX_TRIM_DELAY_MS),
    );
    if (!this.#hasRoom(member, content.byteLength)) {
      this.expire();
      if (!this.#hasRoom(member, content.byteLength))
        return { kind: "refused", code: "mailbox_full" };
    }
    this.#sweep();
    const index = this.#read();
    const number = index.end.number + 1;
    const at = Math.max(this.#clock.now(), index.end.at);
    const size = content.byteLength;
    this.#write(
      `INSERT INTO ${this.#table} (member, number, at, sender, id, size, content)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      member,
      number,
      at,
      sender,
      id,
      size,
      content,
    );
    index.add({ member, sender, id, number, at, size }, true);
    return { kind: "stored", number, at };
  }

  /** The messages that wait for `member` after `number`, in their order, at most `limit`. */
  after(member: string, number: number, limit: number = MAX_MAIL_PAGE): readonly Mail[] {
    return this.#sql
      .exec(
        `SELECT number, at, content FROM ${this.#table}
         WHERE member = ? AND number > ? AND content IS NOT NULL AND at >= ? ORDER BY number LIMIT ?`,
        member,
        number,
        this.#cutoff(),
        Math.min(limit, MAX_MAIL_PAGE),
      )
      .toArray()
      .map((row) => ({
        number: numberIn(row, "number"),
        at: numberIn(row, "at"),
        content: bytesIn(row, "content"),
      }));
  }

  /** `member` has everything up to `number`. */
  acknowledge(member: string, number: number): void {
    this.#write(
      `UPDATE ${this.#table} SET content = NULL
       WHERE member = ? AND number <= ? AND content IS NOT NULL`,
      member,
      number,
    );
    this.#index?.acknowledge(member, number);
  }

  /** Removes what has waited for too long. `put` does it too, now and then; readers never see it. */
  expire(): void {
    this.#removeExpired(this.#cutoff());
  }

  /** Forgets every message; later numbers still follow the earlier ones. */
  clear(): void {
    this.#remove("number <= ?", this.#read().end.number, true);
  }

  #removeExpired(cutoff: number): void {
    const { oldestAt, end } = this.#read();
    if (oldestAt !== undefined && oldestAt < cutoff)
      this.#remove("at < ?", cutoff, end.at < cutoff);
  }

  #cutoff(): number {
    return this.#clock.now() - this.#limits.ttlMs;
  }

  #hasRoom(member: string, size: number): boolean {
    const { perMember, bytesPerMember, total, totalBytes } = this.#limits;
    const index = this.#read();
    const own = index.of(member);
    return (
      own.waiting < perMember &&
      own.bytes + size <= bytesPerMember &&
      index.waiting < total &&
      index.bytes + size <= totalBytes
    );
  }

  /** Removes the oldest acknowledged messages, many at a time. */
  #sweep(): void {
    const before = this.#read().sweepBefore(this.#limits.dedupe);
    if (before !== undefined) this.#remove("content IS NULL AND number < ?", before, false);
  }

  #remove(condition: string, bound: number, all: boolean): void {
    // The newest row tells which numbers were given; when it goes, this does.
    if (all) this.#meta.set(FLOOR, JSON.stringify(this.#read().end));
    this.#write(`DELETE FROM ${this.#table} WHERE ${condition}`, bound);
    this.#index = undefined;
  }

  #read(): MailIndex {
    this.#index ??= MailIndex.read(this.#sql, this.#table, this.#readFloor());
    return this.#index;
  }

  #readFloor(): MailEnd {
    const text = this.#meta.get(FLOOR);
    if (text === undefined) return { number: 0, at: 0 };
    return parseMailEnd(text);
  }

  #write(query: string, ...bindings: Parameters<Sql["exec"]>[1][]): void {
    this.#rowsWritten += write(this.#sql, query, ...bindings);
  }
}
