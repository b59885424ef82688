/**
 * Owns which forks of a topic live, beyond the end of the topic itself: while one does, the topic's
 * name is not given to another. Refuses to know what a fork holds: it has a copy.
 */
import { Meta } from "../log/meta.ts";
import { isStored, tablesOf } from "../log/schema.ts";
import type { Sql } from "../log/sql.ts";
import type { ForkPoint } from "./settings.ts";
import { PREFIX } from "./topic-log.ts";

const SCOPE = "forks";
const FORK = "of:";
const ORIGIN = "origin";

export class Forks {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Whether any fork lives. */
  get exist(): boolean {
    return [...(this.#meta?.all().keys() ?? [])].some((name) => name.startsWith(FORK));
  }

  /** Notes a fork of a topic that exists. */
  add(name: string): void {
    this.#meta?.set(FORK + name, "");
  }

  remove(name: string): void {
    this.#meta?.delete(FORK + name);
  }

  /** Where a topic that was deleted before its forks had itself been forked from. */
  get origin(): ForkPoint | undefined {
    const text = this.#meta?.get(ORIGIN);
    // Written below and nowhere else.
    return text === undefined ? undefined : (JSON.parse(text) as ForkPoint);
  }

  set origin(point: ForkPoint | undefined) {
    if (point === undefined) this.#meta?.delete(ORIGIN);
    else this.#meta?.set(ORIGIN, JSON.stringify(point));
  }

  /** A topic that never was has no tables, and gets none for a question. */
  get #meta(): Meta | undefined {
    if (!isStored(this.#sql, PREFIX)) return undefined;
    return new Meta(this.#sql, tablesOf(PREFIX).meta, SCOPE);
  }
}
