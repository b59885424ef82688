/**
 * Owns the translation between the platform and a room: requests, socket events, alarms and sleep in,
 * calls of the room out. Refuses to decide anything about a room itself.
 */
import { DurableObject } from "cloudflare:workers";
import { systemClock } from "../src/stream/clock.ts";
import type { Message } from "./delivery/publisher.ts";
import type { From, Gap, Page, PageSize } from "./log/log.ts";
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

export class RoomObject extends DurableObject<RoomEnv> {
  readonly #room: Room;
  readonly #alarm: Alarm;

  constructor(ctx: DurableObjectState, env: RoomEnv) {
    super(ctx, env);
    answerHeartbeats(ctx);
    this.#room = new Room({
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
    const { settings } = this.#room.log;
    settings.set(WAKES, String(Number(settings.get(WAKES) ?? "0") + 1));
    this.#alarm = new Alarm(ctx.storage);
    void ctx.blockConcurrencyWhile(() => this.#alarm.restore());
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
    this.#room.sweep();
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
    return await outcome(async () => {
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
    const { log } = this.#room;
    const start = log.resolve(from);
    const page = start.kind === "gap" ? start : log.readAfter(start.seq, size);
    return { epoch: log.epoch, tail: log.tail, page };
  }

  /** Who is here. */
  presence(): { count: number; members: { member: string; state: Uint8Array }[] } {
    const { roster } = this.#room;
    return { count: roster.count, members: roster.list() };
  }

  /** Figures for those who watch the room. */
  stats(): Readonly<Record<string, number>> {
    const wakes = Number(this.#room.log.settings.get(WAKES));
    return { ...this.#room.stats(), wakes, databaseBytes: this.ctx.storage.sql.databaseSize };
  }

  #schedule(): void {
    this.#alarm.schedule(this.#room.nextSweepAt());
  }
}
