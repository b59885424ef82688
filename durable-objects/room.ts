/**
 * Owns the translation between the platform and a room: requests, socket events, alarms and sleep in,
 * calls of the room out. Refuses to decide anything about a room itself.
 */
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../src/stream/clock.ts";
import type { PresenceSnapshot, Position, Raw } from "../src/protocol/frames.ts";
import { NO_EPOCH } from "../src/protocol/position.ts";
import type { Message } from "./delivery/publisher.ts";
import type { From, Gap, Page, PageSize } from "./log/log.ts";
import { isStored } from "./log/schema.ts";
import { Alarm } from "./platform/alarm.ts";
import { type Outcome, outcome } from "./platform/outcome.ts";
import { reporterFor } from "./platform/report.ts";
import { acceptSocket, answerClose, answerHeartbeats, lastBeatOf } from "./platform/sockets.ts";
import { checkRepetition } from "./room/repetition.ts";
import { Room } from "./room/room.ts";
import { settingsFor } from "./room/settings.ts";

/** Variables that rooms read; the Worker's other settings are none of their business. */
interface RoomEnv {
  readonly ROOM_CLASSES?: unknown;
}

const WAKES = "wakes";
const PREFIX = "log";

/** Figures of a room that does not exist. */
const NO_STATS = {
  members: 0,
  connections: 0,
  live: 0,
  lagging: 0,
  outstandingBytes: 0,
  pendingBytes: 0,
  messages: 0,
  rows: 0,
  bytes: 0,
  mailWaiting: 0,
  rowsWritten: 0,
  wakes: 0,
};

export class RoomObject extends DurableObject<RoomEnv> {
  /** Undefined as long as nobody has joined or published: looking for a room stores nothing. */
  #existing: Room | undefined;
  readonly #alarm: Alarm;

  constructor(ctx: DurableObjectState, env: RoomEnv) {
    super(ctx, env);
    answerHeartbeats(ctx);
    if (isStored(ctx.storage.sql, PREFIX)) this.#existing = this.#open();
    this.#alarm = new Alarm(ctx.storage);
    void ctx.blockConcurrencyWhile(() => this.#alarm.restore());
  }

  /** The room, which begins with its first use. */
  get #room(): Room {
    this.#existing ??= this.#open();
    return this.#existing;
  }

  #open(): Room {
    const { ctx, env } = this;
    const room = new Room({
      sql: ctx.storage.sql,
      clock: systemClock,
      random: () => Math.random(),
      newId: () => crypto.randomUUID(),
      settings: settingsFor(ctx.id.name ?? "", env.ROOM_CLASSES),
      sockets: ctx.getWebSockets(),
      lastBeat: lastBeatOf(ctx),
      onFlush: () => {
        this.#schedule();
      },
      report: reporterFor("room"),
    });
    const { settings } = room.log;
    settings.set(WAKES, String(Number(settings.get(WAKES) ?? "0") + 1));
    return room;
  }

  /** Accepts a socket; called by the Worker only, which has checked and set the headers. */
  override fetch(request: Request): Response {
    const response = acceptSocket(this.ctx, this.#room.audience, request);
    this.#schedule();
    return response;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#room.receive(socket, message);
    this.#schedule();
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#room.audience.disconnect(socket);
    answerClose(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#room.audience.disconnect(socket);
  }

  override alarm(): void {
    this.#alarm.rang();
    this.#existing?.sweep();
    this.#schedule();
  }

  /**
   * Publishes messages of a backend; resolves when all of them are durable.
   *
   * @param key of a request that may be a repetition: see {@link checkRepetition}.
   */
  async publish(
    messages: readonly Message[],
    key?: string,
  ): Promise<Outcome<{ epoch: string; seqs: readonly number[] }>> {
    return await outcome("room", async () => {
      const { publisher, log } = this.#room;
      if (key !== undefined) {
        // What waits may be of the same key.
        publisher.flush();
        checkRepetition(this.#room, messages, key);
      }
      const seqs = await publisher.publishAll(messages);
      return { epoch: log.epoch, seqs };
    });
  }

  /** A page of the log, from a position or after a gap. */
  read(from: From, size: PageSize): { epoch: string; tail: number; page: Page | Gap } {
    if (this.#existing === undefined) return readNothing(from);
    const { log } = this.#existing;
    const start = log.resolve(isBeforeRoom(from) ? { epoch: log.epoch, seq: from.seq } : from);
    const page = start.kind === "gap" ? start : log.readAfter(start.seq, size);
    return { epoch: log.epoch, tail: log.tail, page };
  }

  /** Who is here; of a crowd a sample. */
  presence(): PresenceSnapshot<Raw> {
    return this.#existing?.presence() ?? { count: 0, members: [], complete: true };
  }

  /** Figures for those who watch the room. */
  stats(): Readonly<Record<string, number>> {
    const { databaseSize: databaseBytes } = this.ctx.storage.sql;
    if (this.#existing === undefined) return { ...NO_STATS, databaseBytes };
    const wakes = Number(this.#existing.log.settings.get(WAKES));
    return { ...this.#existing.stats(), wakes, databaseBytes };
  }

  #schedule(): void {
    this.#alarm.schedule(this.#existing?.nextSweepAt());
  }
}

/** A page of a room that does not exist: from elsewhere, everything is lost. */
function readNothing(from: From): { epoch: string; tail: number; page: Page | Gap } {
  const isElsewhere = typeof from === "object" && "epoch" in from && !isBeforeRoom(from);
  const page: Page | Gap = isElsewhere
    ? { kind: "gap", reason: "epoch", from: 0, to: 0 }
    : { kind: "page", first: 1, count: 0, entries: new Uint8Array(), last: 0, done: true };
  return { epoch: NO_EPOCH, tail: 0, page };
}

/** Whether a position was given out before the room began. */
function isBeforeRoom(from: From): from is Position {
  return typeof from === "object" && "epoch" in from && from.epoch === NO_EPOCH;
}
