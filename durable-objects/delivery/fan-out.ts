/**
 * Owns who has been sent what: live connections get each flush as it happens, lagging ones read the
 * log at the pace of their acknowledgements (I5). Refuses to know what the messages say, who may
 * send them, and the platform.
 *
 * Everything is decided within one turn of the event loop, so a reader moves from the log's pages
 * to its tail without a gap and without a duplicate (I3). Only the frames themselves may leave later.
 */
import type { Credit } from "../../src/protocol/frames.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { type Connection, saveConnection } from "./connection.ts";
import { addPage, endLive, outstandingBytes, restart, settle } from "./outstanding.ts";
import type { SizeIndex } from "./size-index.ts";
import { send } from "./socket.ts";
import { Spread, type Turns } from "./spread.ts";

/** Consecutive entries, which may begin with some that the reader has; none at the log's end. */
export interface LogPage {
  readonly kind: "page";
  readonly first: number;
  readonly count: number;
  readonly entries: Uint8Array;
  /** Position to read on after. */
  readonly last: number;
}

/** Entries that stand for everything up to `last`: the newest of their keys. */
export interface LatestPage {
  readonly kind: "latest";
  /** The position of each entry, increasing; never empty. */
  readonly seqs: readonly number[];
  readonly entries: Uint8Array;
  readonly last: number;
}

/** What is no longer stored. */
interface LogGap {
  readonly kind: "gap";
  readonly reason: "trimmed" | "epoch" | "future";
  readonly from: number;
  readonly to: number;
}

/** The log as far as readers are concerned. */
export interface ReadableLog {
  readonly tail: number;
  readAfter(
    seq: number,
    limit: { maxBytes: number; maxEntries: number },
  ): LogPage | LatestPage | LogGap;
}

/** How frames are written; the protocol's encoder, passed in because formats are not delivery's business. */
export interface FrameWriter {
  deliver(page: LogPage, after: number): Uint8Array;
  latest(page: LatestPage): Uint8Array;
  gap(gap: LogGap): Uint8Array;
}

/** What to do with a connection that runs out of credit. */
export type LaggardPolicy = "replay" | "disconnect";

interface FanOutOptions {
  readonly log: ReadableLog;
  readonly sizes: SizeIndex;
  readonly frames: FrameWriter;
  readonly clock: Clock;
  readonly policy: LaggardPolicy;
  /** Bytes of log pages read at once; one frame's worth. */
  readonly pageBytes: number;
  /** Ends a connection that cannot or may not be served further. */
  readonly drop: (connection: Connection) => void;
  /** Called when a connection has caught up and is live from here on. */
  readonly onLive: (connection: Connection) => void;
  /** See {@link Spread}. */
  readonly turns?: Turns | undefined;
  /** Called when a flush has left to everyone, unless it had when {@link FanOut.deliver} returned. */
  readonly onDelivered?: () => void;
}

/**
 * Everyone who is live, and how far the log may grow before any of them can run out of credit:
 * acknowledgements only add to it. Until then a flush needs to look at nobody.
 */
interface Takers {
  readonly connections: readonly Connection[];
  /** A position, and a running total; of whoever reaches either first. */
  readonly seq: number;
  readonly total: number;
}

export class FanOut {
  readonly #options: FanOutOptions;
  readonly #live = new Set<Connection>();
  readonly #lagging = new Set<Connection>();
  readonly #spread: Spread;
  /** Undefined when somebody has come to the live ones or has left them. */
  #takers: Takers | undefined;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#spread = new Spread({
      turns: options.turns,
      done: () => {
        options.onDelivered?.();
      },
    });
  }

  /** Takes up a connection as it was before the object slept. */
  restore(connection: Connection): void {
    if (connection.phase.kind === "live") this.#enter(connection);
    if (connection.phase.kind === "lagging") this.#lagging.add(connection);
  }

  /** Begins to serve a connection with everything after `cursor`; it is live as soon as it has all of it. */
  begin(connection: Connection, cursor: number): void {
    if (connection.phase.kind === "ended") return;
    restart(connection, this.#options.sizes.markAt(cursor));
    this.#lag(connection, cursor);
    this.pump(connection);
  }

  /** Forgets a connection. */
  remove(connection: Connection): void {
    this.#leave(connection);
    this.#lagging.delete(connection);
  }

  /** Whether a flush has left to some and not to all. */
  get isDelivering(): boolean {
    return this.#spread.isUnderWay;
  }

  get liveCount(): number {
    return this.#live.size;
  }

  get laggingCount(): number {
    return this.#lagging.size;
  }

  /** Connections to which things outside the log may be sent. */
  live(): Iterable<Connection> {
    return this.#live;
  }

  /** Bytes sent over all connections and not yet acknowledged, as far as they are of the log. */
  outstandingBytes(): number {
    let bytes = 0;
    for (const connection of this.#live) bytes += this.#outstanding(connection);
    for (const connection of this.#lagging) bytes += this.#outstanding(connection);
    return bytes;
  }

  /**
   * Hands a flush that has just been appended (and so is durable before it is visible, I2) to every
   * live connection: the same bytes to all, to many in steps. Who has no credit for it begins to lag.
   *
   * @param before the log's head before the flush.
   */
  deliver(frame: Uint8Array, before: number): void {
    // Before anybody lags: whoever does has been sent what came before.
    this.#spread.finish();
    this.#spread.begin(this.#takersAfter(before), frame);
  }

  /** Lets a connection have what is on its way to it, before it is sent something else or told to go. */
  catchUp(connection: Connection): void {
    // Nothing is on its way to any other: who lags reads pages.
    if (connection.phase.kind === "live") this.#spread.finish();
  }

  /** The client has consumed everything up to `seq`; false when it was never sent so much. */
  acknowledge(connection: Connection, seq: number): boolean {
    if (seq > this.#sent(connection)) return false;
    if (seq <= connection.acked || connection.phase.kind === "ended") return true;
    const { sizes } = this.#options;
    settle(connection, sizes.markAt(seq, connection.base), (after, to) => sizes.between(after, to));
    if (connection.phase.kind === "lagging") {
      // Whoever takes what it is given is slow, not dead: its patience begins anew.
      connection.phase = { ...connection.phase, since: this.#options.clock.now() };
    }
    this.pump(connection);
    return true;
  }

  /** Sends a lagging connection what the log has for it and its credit allows. */
  pump(connection: Connection): void {
    const { log, frames, pageBytes } = this.#options;
    while (connection.phase.kind === "lagging") {
      const { cursor } = connection.phase;
      if (cursor >= log.tail) {
        this.#goLive(connection);
        return;
      }
      const credit = this.#creditAt(connection, cursor);
      if (!hasRoom(credit)) return;
      const page = log.readAfter(cursor, {
        maxBytes: Math.min(credit.bytes, pageBytes),
        maxEntries: credit.messages,
      });
      if (page.kind === "gap") {
        send(connection.socket, frames.gap(page));
        // What is lost needs no acknowledgement, nor does what was sent before: it would be an old one.
        restart(connection, this.#options.sizes.markAt(page.to));
        this.#lag(connection, page.to);
        continue;
      }
      if (page.kind === "page" && page.count === 0) {
        this.#goLive(connection);
        return;
      }
      const frame = page.kind === "latest" ? frames.latest(page) : frames.deliver(page, cursor);
      send(connection.socket, frame);
      addPage(connection, this.#options.sizes.markAt(page.last), {
        bytes: frame.byteLength,
        isSparse: page.kind === "latest",
      });
      this.#lag(connection, page.last);
    }
  }

  /** Who may take a flush that follows `before`; whoever may not begins to lag, or is dropped. */
  #takersAfter(before: number): readonly Connection[] {
    const { sizes, policy, drop } = this.#options;
    const known = this.#takers;
    if (known !== undefined && before < known.seq && sizes.total < known.total) {
      return known.connections;
    }
    const connections: Connection[] = [];
    let seq = Number.POSITIVE_INFINITY;
    let total = Number.POSITIVE_INFINITY;
    for (const connection of this.#live) {
      const credit = this.#creditAt(connection, before);
      // A flush begins while there is any credit: cutting it would mean other bytes for everyone.
      if (hasRoom(credit)) {
        connections.push(connection);
        seq = Math.min(seq, before + credit.messages);
        total = Math.min(total, sizes.total + credit.bytes);
      } else if (policy === "disconnect") {
        drop(connection);
      } else {
        endLive(connection, sizes.markAt(before));
        this.#lag(connection, before);
        saveConnection(connection);
      }
    }
    // Whoever is dropped might take somebody along who is in the list already.
    if (connections.length === this.#live.size) this.#takers = { connections, seq, total };
    return connections;
  }

  #goLive(connection: Connection): void {
    connection.phase = { kind: "live" };
    // Where only the newest count, some of what lies before was never sent.
    connection.base = { seq: this.#options.log.tail, total: this.#options.sizes.total };
    this.#lagging.delete(connection);
    this.#enter(connection);
    saveConnection(connection);
    this.#options.onLive(connection);
  }

  #lag(connection: Connection, cursor: number): void {
    const since =
      connection.phase.kind === "lagging" ? connection.phase.since : this.#options.clock.now();
    connection.phase = { kind: "lagging", cursor, since };
    this.#leave(connection);
    this.#lagging.add(connection);
  }

  #enter(connection: Connection): void {
    this.#live.add(connection);
    this.#takers = undefined;
  }

  #leave(connection: Connection): void {
    if (this.#live.delete(connection)) this.#takers = undefined;
  }

  #sent(connection: Connection): number {
    return connection.phase.kind === "lagging" ? connection.phase.cursor : this.#options.log.tail;
  }

  #outstanding(connection: Connection): number {
    const isLive = connection.phase.kind === "live";
    return outstandingBytes(connection, isLive ? this.#options.sizes.total : connection.base.total);
  }

  #creditAt(connection: Connection, sent: number): Credit {
    const { acked, credit } = connection;
    return {
      messages: credit.messages - (sent - acked),
      bytes: credit.bytes - this.#outstanding(connection),
    };
  }
}

function hasRoom({ messages, bytes }: Credit): boolean {
  return messages > 0 && bytes > 0;
}
