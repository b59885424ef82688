/**
 * Owns a topic: events that are published once and reach every reader, now or later, until the topic
 * ends or is deleted. Made from storage and sockets, the same whether it is new or has slept. Refuses
 * to know doors, protocols and the platform's names for things.
 */
import { CLOSE } from "../../src/protocol/close-codes.ts";
import type { SluiceError } from "../../src/protocol/errors.ts";
import type { Position } from "../../src/protocol/frames.ts";
import { isPosition } from "../../src/protocol/reader-start.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import { Audience } from "../delivery/audience.ts";
import type { Host } from "../delivery/host.ts";
import type { Connection } from "../delivery/connection.ts";
import type { SocketLike } from "../delivery/socket.ts";
import type { From, Gap, Page, PageSize } from "../log/log.ts";
import type { Sql } from "../log/sql.ts";
import type { Append, AppendOutcome, AppendResult, Opened } from "./appending.ts";
import { TopicAudienceSettings } from "./audience-settings.ts";
import type { Ending } from "./ending.ts";
import { Expiry } from "./expiry.ts";
import type { LeaveSource } from "./farewells.ts";
import { Forks } from "./forks.ts";
import { defaultSettings, encodeSettings, type TopicSettings } from "./settings.ts";
import { TopicLog } from "./topic-log.ts";
import { TopicWriter } from "./topic-writer.ts";

/** What a topic is given from outside. */
export interface TopicContext {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  /** Sockets that are open already: those of a topic that has slept. */
  readonly sockets: readonly SocketLike[];
  /** When the runtime last answered a heartbeat on a socket, in milliseconds since 1970. */
  readonly lastBeat: (socket: SocketLike) => number | undefined;
  /** Takes an unexpected error; the client is told no more than that there was one. */
  readonly report: (error: SluiceError) => void;
  /** Told in the turn that ends the topic, with the position of its end. */
  readonly closed?: (outcome: Ending["outcome"], position: Position) => void;
  /** Tells the topic that this one was forked from that it is no more. */
  readonly leaveSource: LeaveSource;
}

/** What a topic is, for whoever asks; undefined settings mean that there is none. */
export interface TopicDescription {
  readonly settings: TopicSettings;
  readonly epoch: string;
  readonly head: number;
  readonly tail: number;
  readonly ending: Ending | undefined;
  /** When it will be deleted if nothing happens, in milliseconds since 1970. */
  readonly expiresAt: number | undefined;
}

/** A part of a topic's history. */
export interface TopicPage {
  readonly epoch: string;
  readonly tail: number;
  /** Undefined when there is no topic. */
  readonly contentType: string | undefined;
  readonly isClosed: boolean;
  readonly page: Page | Gap;
}

export class Topic implements Host {
  readonly audience: Audience;
  readonly #clock: Clock;
  readonly #log: TopicLog;
  readonly #writer: TopicWriter;
  readonly #forks: Forks;
  readonly #closed: TopicContext["closed"];
  #expiry: Expiry | undefined;

  constructor(context: TopicContext) {
    const { sql, clock, random, newId, sockets, lastBeat, report } = context;
    this.#clock = clock;
    this.#closed = context.closed;
    this.#forks = new Forks(sql, clock, context.leaveSource);
    this.#log = new TopicLog({ sql, clock, random });
    const log = this.#log;
    const settings = new TopicAudienceSettings(() => log.settings?.laggards);
    this.audience = new Audience({
      log,
      clock,
      random,
      newId,
      settings,
      lastBeat,
      report,
      host: this,
    });
    this.#writer = new TopicWriter({
      log,
      clock,
      audience: this.audience,
      ended: (ending) => {
        this.#onEnd(ending);
      },
    });
    this.#watchExpiry();
    this.audience.restore(sockets);
  }

  /**
   * Makes the topic with these settings, or finds that it is there with them or with others.
   *
   * @param start where another topic's log is continued (a fork); its events are then appended.
   */
  create(settings: TopicSettings, start?: Position): "created" | "same" | "different" {
    this.#expire();
    const existing = this.#log.settings;
    if (existing !== undefined) {
      return encodeSettings(existing) === encodeSettings(settings) ? "same" : "different";
    }
    this.#log.create(settings, start);
    this.#forks.begin(settings.forkedFrom);
    this.#writer.forget();
    this.#watchExpiry();
    // Who waits elsewhere than at the beginning comes back and is told what it missed.
    if (start !== undefined) this.audience.endAll(CLOSE.restart);
    for (const connection of this.audience.connections()) {
      if (connection.phase.kind !== "greeting") this.audience.welcome(connection);
    }
    return "created";
  }

  /** Makes a topic whose first events, and end if asked for, are stored with it or not at all. */
  async open(settings: TopicSettings, first: Append, start?: Position): Promise<Opened> {
    const result = this.isGone() ? "gone" : this.create(settings, start);
    if (result === "created" && (first.events.length > 0 || first.close !== undefined)) {
      const stored = this.append(first);
      this.#writer.flush();
      try {
        await stored;
      } catch (thrown) {
        // Whoever asks again would find it, without its events.
        this.#delete();
        throw thrown;
      }
    }
    const { epoch, tail } = this.#log;
    return { result, epoch, tail, isClosed: this.#log.ending !== undefined };
  }

  /** Notes a fork, which has its own copy of everything. */
  addFork(name: string): void {
    this.#expire();
    if (this.#log.settings !== undefined) this.#forks.add(name);
  }

  /** A fork is no more. */
  removeFork(name: string): void {
    this.#forks.remove(name);
  }

  /** Whether the topic was deleted while forks of it live. */
  isGone(): boolean {
    this.#expire();
    return this.#log.settings === undefined && this.#forks.exist;
  }

  /** Appends and closes, each if asked for; resolves when it is durable. All checks are made in order, in one turn. */
  async append(request: Append): Promise<AppendResult> {
    const outcome = await this.#append(request);
    const { epoch, tail } = this.#log;
    return { ...outcome, epoch, tail, isClosed: this.#log.ending !== undefined };
  }

  /** Deletes the topic; false when there is none. Readers are told, and may wait for a new one. */
  delete(): boolean {
    this.#expire();
    if (this.#log.settings === undefined) return false;
    this.#delete();
    return true;
  }

  /** What the topic is. Asking keeps nothing alive. */
  describe(): TopicDescription | undefined {
    this.#expire();
    const { settings, stored, epoch, tail } = this.#log;
    if (settings === undefined || stored === undefined) return undefined;
    const expiresAt = this.#expiry?.dueAt;
    return { settings, epoch, tail, head: stored.head, ending: this.#log.ending, expiresAt };
  }

  /** A page of history, from a position or after a gap. */
  read(from: From, size: PageSize): TopicPage {
    this.#expire();
    this.#expiry?.touch();
    const log = this.#log;
    const start = log.resolve(from);
    return {
      epoch: log.epoch,
      tail: log.tail,
      contentType: log.settings?.contentType,
      isClosed: this.#log.ending !== undefined,
      page: start.kind === "gap" ? start : log.pageAfter(start.seq, size),
    };
  }

  /** Bytes that a copy of the events up to one takes at most. Asking keeps nothing alive. */
  bytesUpTo(seq: number): number {
    this.#expire();
    return this.#log.stored?.bytesUpTo(seq) ?? 0;
  }

  /** Whether a reader who begins here has everything, its end included. */
  isOver(from: From): boolean {
    this.#expire();
    if (!isPosition(from) || this.#log.ending === undefined) return false;
    return from.epoch === this.#log.epoch && from.seq > this.#log.tail;
  }

  /** A reader is about to come: it keeps the topic alive. */
  expectReader(): void {
    this.#expire();
    this.#expiry?.touch();
  }

  /** Removes what is past its time. */
  sweep(): void {
    this.audience.sweep();
    this.#forks.sweep();
    this.#expire();
    const { stored } = this.#log;
    const due = stored?.trimAt;
    if (due !== undefined && due <= this.#clock.now()) stored?.trim();
  }

  /** When to sweep although nothing happens, in milliseconds since 1970. */
  nextSweepAt(): number | undefined {
    const times = [
      this.audience.nextSweepAt(),
      this.#expiry?.dueAt,
      this.#log.stored?.trimAt,
      this.#forks.dueAt,
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Figures for those who watch the topic. */
  stats(): Readonly<Record<string, number>> {
    const stats = this.#log.stored?.stats;
    return {
      ...this.audience.stats(),
      pendingBytes: this.#writer.pendingBytes,
      events: stats?.entries ?? 0,
      rows: stats?.rows ?? 0,
      bytes: stats?.bytes ?? 0,
      rowsWritten: stats?.rowsWritten ?? 0,
      latestKeys: this.#log.latest.keys,
      latestBytes: this.#log.latest.bytes,
    };
  }

  contentType(): string | undefined {
    return this.#log.settings?.contentType;
  }

  onLive(connection: Connection): void {
    const ending = this.#log.ending;
    if (ending !== undefined) this.#dismiss(connection, ending);
  }

  async #append(request: Append): Promise<AppendOutcome> {
    this.#expire();
    if (this.#log.settings === undefined) {
      if (request.create !== true) return { kind: "missing" };
      this.create(defaultSettings(request.contentType));
    }
    return await this.#writer.append(request);
  }

  #onEnd(ending: Ending): void {
    // An end without events writes nothing that would count.
    this.#expiry?.touch();
    this.#closed?.(ending.outcome, { epoch: this.#log.epoch, seq: this.#log.tail + 1 });
    for (const connection of this.audience.connections()) {
      // Who lags is dismissed when it has everything.
      if (connection.phase.kind === "live") this.#dismiss(connection, ending);
    }
  }

  #dismiss(connection: Connection, { outcome, data }: Ending): void {
    this.audience.send(connection, { kind: "end", outcome, data });
    this.audience.end(connection, CLOSE.left);
  }

  /** Deletes the topic when its time has come. */
  #expire(): void {
    const due = this.#expiry?.dueAt;
    if (due === undefined || due > this.#clock.now()) return;
    if (this.#expiry?.isSliding === true && this.audience.size > 0) this.#expiry.touch();
    else this.#delete();
  }

  #delete(): void {
    this.#writer.flush();
    const source = this.#log.settings?.forkedFrom;
    this.#log.delete();
    this.#writer.forget();
    this.#expiry = undefined;
    this.audience.endAll(CLOSE.roomGone);
    this.#forks.leave(source);
  }

  #watchExpiry(): void {
    const { settings, stored } = this.#log;
    if (settings === undefined || stored === undefined) return;
    const { ttlMs, expiresAt } = settings;
    if (ttlMs === undefined && expiresAt === undefined) return;
    this.#expiry = new Expiry(stored, settings, this.#clock);
  }
}
