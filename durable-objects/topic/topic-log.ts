/**
 * Owns whether a topic exists, and its log as readers see it in either case: a topic that nobody has
 * created costs no storage, and may be waited for all the same. Refuses to know readers and publishers.
 */
import { NO_EPOCH, START } from "../../src/protocol/position.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import type { LatestPage } from "../delivery/fan-out.ts";
import { decodeNote } from "../log/message-key.ts";
import {
  type Appended,
  type Flush,
  type From,
  type Gap,
  type Log,
  type Page,
  type PageSize,
  openLog,
} from "../log/log.ts";
import { Meta } from "../log/meta.ts";
import type { RowIds } from "../log/row-table.ts";
import { isStored, tablesOf } from "../log/schema.ts";
import type { Sql } from "../log/sql.ts";
import { type Ending, fromTerminal } from "./ending.ts";
import { LatestIndex } from "./latest.ts";
import { decodeSettings, encodeSettings, type TopicSettings } from "./settings.ts";

interface TopicLogOptions {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly random: Random;
}

/** Begins the names of a topic's tables. */
export const PREFIX = "log";
const SETTINGS = "topic";
const NOTHING = new Uint8Array();

export class TopicLog {
  readonly #options: TopicLogOptions;
  #settings: TopicSettings | undefined;
  /** Also there when the topic was deleted: it keeps the epochs in order. */
  #log: Log | undefined;
  #latest: LatestIndex | undefined;

  constructor(options: TopicLogOptions) {
    this.#options = options;
    if (!isStored(options.sql, PREFIX)) return;
    const stored = new Meta(options.sql, tablesOf(PREFIX).meta, "settings").get(SETTINGS);
    this.#open(stored === undefined ? undefined : decodeSettings(stored));
  }

  /** The topic's settings; undefined when there is no topic. */
  get settings(): TopicSettings | undefined {
    return this.#settings;
  }

  /** The stored log; undefined when there is no topic. */
  get stored(): Log | undefined {
    return this.#settings === undefined ? undefined : this.#log;
  }

  /** How the topic ended; undefined while it has not. */
  get ending(): Ending | undefined {
    const state = this.stored?.state;
    return state?.kind === "closed" ? fromTerminal(state.terminal) : undefined;
  }

  get epoch(): string {
    return this.#log?.epoch ?? NO_EPOCH;
  }

  get tail(): number {
    return this.#log?.tail ?? 0;
  }

  get bytesEver(): number {
    return this.#log?.bytesEver ?? 0;
  }

  /** Keys whose newest values are in memory, for those who watch the topic. */
  get latest(): { readonly keys: number; readonly bytes: number } {
    return { keys: this.#latest?.size ?? 0, bytes: this.#latest?.bytes ?? 0 };
  }

  /** Where a reader begins, as {@link Log.resolve} says; nothing is lost of what does not exist yet. */
  resolve(from: From): ReturnType<Log["resolve"]> {
    const known = typeof from === "object" && "epoch" in from ? this.#translate(from) : from;
    if (this.#log !== undefined) return this.#log.resolve(known);
    if (typeof known === "object" && "epoch" in known && known.epoch !== NO_EPOCH) {
      return { kind: "gap", reason: "epoch", from: 0, to: 0 };
    }
    return { kind: "from", seq: 0 };
  }

  /** What a reader is delivered next, by the topic's policy for those who do not keep up. */
  readAfter(seq: number, size: PageSize): Page | LatestPage | Gap {
    return this.#latest?.readAfter(seq, size) ?? this.pageAfter(seq, size);
  }

  /** The events after a position as they were published, whatever the policy. */
  pageAfter(seq: number, size: PageSize): Page | Gap {
    if (this.#log !== undefined) return this.#log.readAfter(seq, size);
    return { kind: "page", first: 1, count: 0, entries: NOTHING, last: 0, done: true };
  }

  /** The newest flushes that reach beyond `seq`, as {@link Log.sizesAfter} says. */
  sizesAfter(seq: number, limit: number): ReturnType<Log["sizesAfter"]> {
    return this.#log?.sizesAfter(seq, limit) ?? [];
  }

  newestIds(count: number): IterableIterator<RowIds> {
    return this.#log?.newestIds(count) ?? [].values();
  }

  /** The note stored with the newest flush; empty when there is none. */
  readNote(): string {
    for (const { ids } of this.newestIds(1)) return decodeNote(ids);
    return "";
  }

  /** Stores a flush of a topic that exists. */
  append(flush: Flush): Appended {
    if (this.stored === undefined) throw new Error("there is no topic to append to");
    const appended = this.stored.append(flush);
    this.#latest?.note(appended.first, flush.entries);
    return appended;
  }

  /** Makes the topic. @param start where another topic's log is continued. */
  create(settings: TopicSettings, start?: { readonly epoch: string; readonly seq: number }): void {
    this.#open(settings);
    try {
      this.#log?.settings.set(SETTINGS, encodeSettings(settings));
      if (start !== undefined) this.#log?.continueFrom(start);
    } catch (thrown) {
      // What is not written down as a whole is no topic: not until the object sleeps, and not after it.
      this.#settings = undefined;
      this.#latest = undefined;
      this.#log?.settings.delete(SETTINGS);
      throw thrown;
    }
  }

  /** Deletes the topic with everything in it; a new one begins a new epoch. */
  delete(): void {
    this.#log?.reset();
    this.#settings = undefined;
    this.#latest = undefined;
  }

  #open(settings: TopicSettings | undefined): void {
    const { sql, clock, random } = this.#options;
    const log = openLog(sql, {
      clock,
      random,
      retention: settings?.retention ?? {},
      prefix: PREFIX,
    });
    this.#settings = settings;
    this.#log = log;
    const policy = settings?.laggards;
    this.#latest = typeof policy === "object" ? new LatestIndex(log, policy.latest) : undefined;
  }

  /** Positions that no log gave out: the oldest there is, and one of somebody who waited for the topic. */
  #translate(position: { readonly epoch: string; readonly seq: number }): From {
    if (position.epoch === START.epoch) return "start";
    if (position.epoch === NO_EPOCH && this.#log !== undefined) {
      return { epoch: this.#log.epoch, seq: position.seq };
    }
    return position;
  }
}
