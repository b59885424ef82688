/**
 * Owns the making of a room from storage and sockets, the same whether it is new or has slept, and
 * its life apart from the conversation: who comes, who goes, who is given up.
 * Refuses to know the platform's names for these things.
 */
import { entriesLength } from "../../src/protocol/entries.ts";
import { concat } from "../../src/protocol/bytes.ts";
import { CLOSE, type CloseEntry } from "../../src/protocol/close-codes.ts";
import { encodeDeliver, encodeServerFrame } from "../../src/protocol/encode-server-frame.ts";
import { SluiceError } from "../../src/protocol/errors.ts";
import {
  BATCH_BYTES,
  BATCH_MS,
  HELLO_TIMEOUT_MS,
  PAGE_BYTES,
  SWEEP_MS,
} from "../../src/protocol/limits.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import {
  acceptConnection,
  type Connection,
  type Door,
  restoreConnection,
} from "../delivery/connection.ts";
import { ControlChannel } from "../delivery/control-channel.ts";
import { FanOut, type LogRow } from "../delivery/fan-out.ts";
import { RateLimiter } from "../delivery/rate-limiter.ts";
import { SizeIndex } from "../delivery/size-index.ts";
import type { SocketLike } from "../delivery/socket.ts";
import { TokenBucket } from "../delivery/token-bucket.ts";
import { DedupeWindow } from "../log/dedupe-window.ts";
import { type Log, openLog } from "../log/log.ts";
import { Mailbox } from "../log/mailbox.ts";
import type { Sql } from "../log/sql.ts";
import { Roster } from "../presence/roster.ts";
import { Attendance } from "./attendance.ts";
import { MailRoom } from "./mail-room.ts";
import { Publisher } from "./publisher.ts";
import { Receipts } from "./receipts.ts";
import { RoomCore } from "./room-core.ts";
import type { RoomSettings } from "./settings.ts";
import { judge } from "./sweep.ts";

/** What a room is given from outside. */
export interface RoomContext {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
  readonly settings: RoomSettings;
  /** Sockets that are open already: those of a room that has slept. */
  readonly sockets: readonly SocketLike[];
  readonly lastBeat: (socket: SocketLike) => number | undefined;
  readonly report: (error: SluiceError) => void;
}

const NOTHING = encodeValue(null);

export class Room {
  readonly log: Log;
  readonly roster = new Roster();
  readonly publisher: Publisher;
  readonly mailbox: Mailbox;
  readonly #context: RoomContext;
  readonly #connections = new Map<SocketLike, Connection>();
  readonly #core: RoomCore;
  readonly #fanOut: FanOut;
  readonly #limiter: RateLimiter;
  readonly #receipts: Receipts;
  readonly #attendance: Attendance;
  readonly #joins: TokenBucket;
  readonly #greeting = new Set<Connection>();
  #sweptAt: number;
  #disarmGreeting: (() => void) | undefined;

  constructor(context: RoomContext) {
    const { sql, clock, random, settings } = context;
    this.#context = context;
    this.#sweptAt = clock.now();
    this.#joins = new TokenBucket(clock, settings.joinRate);
    this.log = openLog(sql, { clock, random, retention: settings.retention });
    this.mailbox = new Mailbox(sql, { clock });
    const end = (connection: Connection, reason: CloseEntry): void => {
      this.#end(connection, reason);
    };
    const sizes = new SizeIndex(this.log.tail);
    const control = new ControlChannel((connection) => {
      end(connection, CLOSE.slowConsumer);
    });
    this.#fanOut = new FanOut({
      log: this.log,
      sizes,
      frames: { deliver: encodeRows, gap: encodeServerFrame },
      clock,
      policy: settings.laggards,
      pageBytes: PAGE_BYTES,
      drop: (connection) => {
        end(connection, CLOSE.slowConsumer);
      },
      onLive: (connection) => {
        if (connection.presenceStale) this.#attendance.refresh(connection);
      },
    });
    this.#limiter = new RateLimiter(clock, {
      messages: settings.messageRate,
      bytes: settings.byteRate,
    });
    this.#receipts = new Receipts(control);
    this.publisher = new Publisher({
      log: this.log,
      dedupe: new DedupeWindow(this.log),
      sizes,
      fanOut: this.#fanOut,
      clock,
      batchMs: BATCH_MS,
      batchBytes: BATCH_BYTES,
      flushed: () => {
        this.#receipts.flush();
      },
    });
    for (const socket of context.sockets) this.#restore(socket);
    this.roster.settle();
    this.#attendance = new Attendance({
      roster: this.roster,
      clock,
      audience: () => this.#connections.values(),
      send: (connection, frame) => control.offer(connection, frame),
    });
    this.#core = new RoomCore({
      log: this.log,
      fanOut: this.#fanOut,
      control,
      limiter: this.#limiter,
      roster: this.roster,
      attendance: this.#attendance,
      publisher: this.publisher,
      receipts: this.#receipts,
      mail: new MailRoom(this.mailbox, clock),
      connections: () => this.#connections.values(),
      end,
      newId: context.newId,
      report: context.report,
    });
  }

  /** Connections, whatever they are doing. */
  get size(): number {
    return this.#connections.size;
  }

  /**
   * Lets a connection in, or not: after a deploy everybody comes back at once, and a room that takes
   * them as they come is back sooner than one that breaks down under them.
   *
   * @throws SluiceError `room_overloaded` with a time to come back at.
   */
  admit(): void {
    const wait = this.#joins.take(1);
    if (wait > 0 || this.#connections.size >= this.#context.settings.maxConnections) {
      // Spread over a while, or they would all come back together again.
      const spread = 1 + this.#context.random() * 4;
      throw new SluiceError("room_overloaded", { retryAfter: wait / 1000 + spread });
    }
  }

  /** A socket has been accepted; its hello is awaited. */
  connect(socket: SocketLike, facts: { door: Door; fixedMember: string | undefined }): void {
    const { clock, newId } = this.#context;
    const joinedAt = clock.now();
    const connection = acceptConnection(socket, { ...facts, id: newId(), joinedAt });
    this.#connections.set(socket, connection);
    this.#greeting.add(connection);
    // A timer and no alarm: the room is awake anyway, and an alarm costs a row.
    this.#disarmGreeting ??= clock.after(HELLO_TIMEOUT_MS, () => {
      this.#disarmGreeting = undefined;
      this.sweep();
    });
  }

  receive(socket: SocketLike, message: string | ArrayBuffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) {
      socket.close(CLOSE.serverError.code, CLOSE.serverError.meaning);
      return;
    }
    this.#core.receive(connection, message);
    if (connection.phase.kind !== "greeting") this.#greeted(connection);
    if (this.#context.clock.now() - this.#sweptAt >= SWEEP_MS) this.sweep();
  }

  /** A socket is gone, however it went. */
  disconnect(socket: SocketLike): void {
    const connection = this.#connections.get(socket);
    if (connection !== undefined) this.#forget(connection);
  }

  /** Gives up connections that are dead, silent or stalled; returns when to look again, if ever. */
  sweep(): number | undefined {
    const { clock, lastBeat, settings } = this.#context;
    const now = clock.now();
    this.#sweptAt = now;
    for (const connection of this.#connections.values()) {
      const reason = judge(connection, {
        now,
        lastBeat: ({ socket }) => lastBeat(socket),
        patienceMs: settings.patienceMs,
      });
      if (reason !== undefined) this.#end(connection, reason);
    }
    this.mailbox.expire();
    return this.nextSweepAt();
  }

  /** When the room should be looked after although nothing happens, in milliseconds since 1970. */
  nextSweepAt(): number | undefined {
    if (this.#connections.size === 0) return undefined;
    const { clock, settings } = this.#context;
    const laggards = this.#fanOut.laggingCount > 0;
    return clock.now() + (laggards ? Math.min(settings.patienceMs, SWEEP_MS) : SWEEP_MS);
  }

  /** Figures for those who watch the room. */
  stats(): Readonly<Record<string, number>> {
    const { rows, entries, bytes, rowsWritten } = this.log.stats;
    const { waiting } = this.mailbox.stats;
    return {
      members: this.roster.count,
      connections: this.#connections.size,
      live: this.#fanOut.liveCount,
      lagging: this.#fanOut.laggingCount,
      outstandingBytes: this.#fanOut.outstandingBytes(),
      pendingBytes: this.publisher.pendingBytes,
      messages: entries,
      rows,
      bytes,
      mailWaiting: waiting,
      rowsWritten: rowsWritten + this.mailbox.rowsWritten,
    };
  }

  #restore(socket: SocketLike): void {
    const connection = restoreConnection(socket);
    if (connection === undefined) {
      socket.close(CLOSE.restart.code, CLOSE.restart.meaning);
      return;
    }
    this.#connections.set(socket, connection);
    this.#fanOut.restore(connection);
    if (connection.door === "member" && connection.member !== "") {
      this.roster.show(connection.member, connection.id, connection.state ?? NOTHING);
    }
  }

  /** Nobody to wait for any more: the timer would keep the room awake. */
  #greeted(connection: Connection): void {
    if (!this.#greeting.delete(connection) || this.#greeting.size > 0) return;
    this.#disarmGreeting?.();
    this.#disarmGreeting = undefined;
  }

  #end(connection: Connection, { code, meaning }: CloseEntry): void {
    this.#forget(connection);
    connection.socket.close(code, meaning);
  }

  #forget(connection: Connection): void {
    if (!this.#connections.delete(connection.socket)) return;
    this.#fanOut.remove(connection);
    this.#limiter.forget(connection);
    this.#receipts.forget(connection);
    this.#greeted(connection);
    if (connection.door !== "member" || connection.member === "") return;
    this.roster.hide(connection.member, connection.id);
    this.#attendance.changed();
  }
}

/** One frame for consecutive rows, without what its reader has already. */
function encodeRows(rows: readonly LogRow[], after: number): Uint8Array {
  const [oldest] = rows;
  if (oldest === undefined) throw new Error("no rows to encode");
  const known = Math.max(0, after + 1 - oldest.first);
  const entries = rows.map((row) => row.entries);
  entries[0] = oldest.entries.subarray(entriesLength(oldest.entries, known));
  const count = rows.reduce((sum, row) => sum + row.count, 0) - known;
  return encodeDeliver(oldest.first + known, count, concat(entries));
}
