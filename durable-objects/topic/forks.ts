/**
 * Owns which forks of a topic live, beyond the end of the topic itself: while one does, the topic's
 * name is not given to another. Refuses to know what a fork holds: it has a copy.
 */
import type { Clock } from "../../src/stream/clock.ts";
import { Meta } from "../log/meta.ts";
import { isStored, tablesOf } from "../log/schema.ts";
import type { Sql } from "../log/sql.ts";
import { Farewells, type LeaveSource } from "./farewells.ts";
import type { ForkPoint } from "./settings.ts";
import { PREFIX } from "./topic-log.ts";

const SCOPE = "forks";
const FORK = "of:";
const ORIGIN = "origin";

export class Forks {
  readonly #sql: Sql;
  readonly #farewells: Farewells;

  constructor(sql: Sql, clock: Clock, leaveSource: LeaveSource) {
    this.#sql = sql;
    this.#farewells = new Farewells(() => this.#meta, clock, leaveSource);
  }

  /** When a source has to be told again that its fork is no more, in milliseconds since 1970. */
  get dueAt(): number | undefined {
    return this.#farewells.dueAt;
  }

  /** Tells again who does not know yet. */
  sweep(): void {
    this.#farewells.sweep();
  }

  /** The topic itself was made. @param source where it was forked from. */
  begin(source: ForkPoint | undefined): void {
    if (source !== undefined) this.#farewells.unsay(source.topic);
  }

  /** Whether any fork lives. */
  get exist(): boolean {
    return [...(this.#meta?.all().keys() ?? [])].some((name) => name.startsWith(FORK));
  }

  /** Notes a fork of a topic that exists. */
  add(name: string): void {
    this.#meta?.set(FORK + name, "");
  }

  /** A fork is no more; with the last one, a topic that was deleted before lets go of its own source. */
  remove(name: string): void {
    this.#meta?.delete(FORK + name);
    const origin = this.#meta?.get(ORIGIN);
    if (origin === undefined || this.exist) return;
    this.#meta?.delete(ORIGIN);
    // Written below and nowhere else.
    this.#farewells.say(JSON.parse(origin) as ForkPoint);
  }

  /** The topic itself was deleted. @param source where it had been forked from. */
  leave(source: ForkPoint | undefined): void {
    if (source === undefined) return;
    if (this.exist) this.#meta?.set(ORIGIN, JSON.stringify(source));
    else this.#farewells.say(source);
  }

  /** A topic that never was has no tables, and gets none for a question. */
  get #meta(): Meta | undefined {
    if (!isStored(this.#sql, PREFIX)) return undefined;
    return new Meta(this.#sql, tablesOf(PREFIX).meta, SCOPE);
  }
}
