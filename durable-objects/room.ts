/**
 * Owns the translation between the platform and a room: requests, socket events, alarms and sleep in,
 * calls of the room out. Refuses to decide anything about a room itself.
 */
import { DurableObject } from "cloudflare:workers";
import { CLOSE } from "../src/protocol/close-codes.ts";
import { SluiceError, toSluiceError } from "../src/protocol/errors.ts";
import { PING, PONG, SUBPROTOCOL } from "../src/protocol/frames.ts";
import { systemClock } from "../src/stream/clock.ts";
import type { From, Gap, Page, PageSize } from "./log/log.ts";
import { DOOR_HEADER, MEMBER_HEADER } from "./room/doors.ts";
import { Room } from "./room/room.ts";
import { settingsFor } from "./room/settings.ts";
import type { Message } from "./room/publisher.ts";

/** Variables that rooms read; the Worker's other settings are none of their business. */
interface RoomEnv {
  readonly ROOM_CLASSES?: unknown;
}

/** An error as it crosses from the object to the Worker; classes do not survive the way. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly code: SluiceError["code"];
      readonly detail: string;
      readonly retryAfter: number | undefined;
    };

const WAKES = "wakes";

export class RoomObject extends DurableObject<RoomEnv> {
  readonly #room: Room;
  #alarmAt: number | undefined;

  constructor(ctx: DurableObjectState, env: RoomEnv) {
    super(ctx, env);
    // Answered by the runtime: a heartbeat neither wakes the object nor keeps it awake (W2).
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#room = new Room({
      sql: ctx.storage.sql,
      clock: systemClock,
      random: () => Math.random(),
      newId: () => crypto.randomUUID(),
      settings: settingsFor(ctx.id.name ?? "", env.ROOM_CLASSES),
      sockets: ctx.getWebSockets(),
      lastBeat: (socket) => ctx.getWebSocketAutoResponseTimestamp(socket as WebSocket)?.getTime(),
      onFlush: () => {
        this.#schedule();
      },
      report: ({ code, cause }) => {
        // oxlint-disable-next-line no-console -- the platform's log is the console
        console.log(
          JSON.stringify({
            level: "error",
            code,
            object: "room",
            cause: cause instanceof Error ? cause.name : typeof cause,
          }),
        );
      },
    });
    const { settings } = this.#room.log;
    settings.set(WAKES, String(Number(settings.get(WAKES) ?? "0") + 1));
    void ctx.blockConcurrencyWhile(async () => {
      this.#alarmAt = (await ctx.storage.getAlarm()) ?? undefined;
    });
  }

  /** Accepts a socket; called by the Worker only, which has checked and set the headers. */
  override fetch(request: Request): Response {
    try {
      this.#room.audience.admit();
    } catch (thrown) {
      const { code, retryAfter } = toSluiceError(thrown);
      return Response.json({ code, retryAfter }, { status: 503 });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    this.#room.audience.connect(server, {
      door: request.headers.get(DOOR_HEADER) === "viewer" ? "viewer" : "member",
      fixedMember: request.headers.get(MEMBER_HEADER) ?? undefined,
    });
    this.#schedule();
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "sec-websocket-protocol": SUBPROTOCOL },
    });
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#room.receive(socket, message);
    this.#schedule();
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#room.audience.disconnect(socket);
    // The runtime does not answer a close for sockets that can sleep; of its own codes it sends 1000 only.
    socket.close(code >= 3000 ? code : CLOSE.left.code, "");
  }

  override webSocketError(socket: WebSocket): void {
    this.#room.audience.disconnect(socket);
  }

  override alarm(): void {
    this.#alarmAt = undefined;
    this.#room.sweep();
    this.#schedule();
  }

  /** Publishes messages of a backend; resolves when all of them are durable. */
  async publish(
    messages: readonly Message[],
  ): Promise<Outcome<{ epoch: string; seqs: readonly number[] }>> {
    return await outcome(async () => {
      const { publisher } = this.#room;
      let stored: readonly Promise<number>[] = [];
      publisher.together(() => {
        stored = messages.map(
          (message) =>
            new Promise<number>((resolve, reject) => {
              publisher.publish(message, {
                stored: (_id, seq) => {
                  resolve(seq);
                },
                refused: (_id, error) => {
                  reject(error);
                },
              });
            }),
        );
      });
      const { epoch } = this.#room.log;
      return { epoch, seqs: await Promise.all(stored) };
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

  /** Asks for an alarm when none comes soon enough; each one asked for is a row written. */
  #schedule(): void {
    const due = this.#room.nextSweepAt();
    if (due === undefined || (this.#alarmAt !== undefined && this.#alarmAt <= due)) return;
    this.#alarmAt = due;
    void this.ctx.storage.setAlarm(due);
  }
}

async function outcome<T>(attempt: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await attempt() };
  } catch (thrown) {
    const { code, detail, retryAfter } = toSluiceError(thrown);
    return { ok: false, code, detail, retryAfter };
  }
}
