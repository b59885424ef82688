/**
 * Owns the translation between the platform and a room: requests, socket events, alarms and sleep in,
 * calls of the room out. Refuses to decide anything about a room itself.
 */
import { DurableObject } from "cloudflare:workers";
import { CLOSE } from "../src/protocol/close-codes.ts";
import { KeySets } from "../src/auth/key-set.ts";
import { systemClock } from "../src/stream/clock.ts";
import { SWEEP_MS } from "../src/protocol/limits.ts";
import type { PresenceSnapshot, Position, Raw } from "../src/protocol/frames.ts";
import type { Message } from "./delivery/publisher.ts";
import { type DocumentState, type DocumentSummary, readNoDocument } from "./document/documents.ts";
import type { From, PageSize } from "./log/log.ts";
import { isStored } from "./log/schema.ts";
import { Alarm } from "./platform/alarm.ts";
import { earlier, openWebhooks } from "./platform/open-webhooks.ts";
import { PROBE_HEADER } from "./platform/headers.ts";
import { type Outcome, outcome } from "./platform/outcome.ts";
import { readPermit } from "./platform/read-permit.ts";
import { reporterFor } from "./platform/report.ts";
import { type Bearing, Revocations, type Revoked } from "./platform/revocations.ts";
import { holdsSlot, readTags, releaseSlots, type SlotEnv } from "./platform/slots.ts";
import {
  acceptSocket,
  answerClose,
  answerHeartbeats,
  lastBeatOf,
  refuseRevoked,
} from "./platform/sockets.ts";
import { turnsOf } from "./platform/turns.ts";
import { unlessRefused } from "./platform/unless-refused.ts";
import { PostPaid, readPayers, type SocketPayer } from "./quota/post-paid.ts";
import type { Standing } from "./replica/feed.ts";
import { type Author, changeDocument, deleteDocument } from "./room/change-document.ts";
import { addFigures } from "./room/figures.ts";
import { noteOccupancy } from "./room/occupancy.ts";
import { publishRequest } from "./room/publish-request.ts";
import { readPage, type RoomPage } from "./room/read-page.ts";
import { RoomReplicas } from "./room/replicas.ts";
import { Room } from "./room/room.ts";
import { readRoomClasses, settingsFor, settingsMeanwhile } from "./room/settings.ts";
import type { RoomReplicaObject } from "./room-replica.ts";
import type { Webhooks } from "./webhook/webhooks.ts";

/** Variables that rooms read: their classes, and what makes a token count; and who copies their logs. */
interface RoomEnv extends SlotEnv {
  readonly ROOM_REPLICAS: DurableObjectNamespace<RoomReplicaObject>;
  readonly [variable: string]: unknown;
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
  documents: 0,
  documentBytes: 0,
  replicas: 0,
  rowsWritten: 0,
  wakes: 0,
};

export class RoomObject extends DurableObject<RoomEnv> {
  /** Undefined as long as nobody has joined or published: looking for a room stores nothing. */
  #existing: Room | undefined;
  /** Of the room that exists. */
  #replicas: RoomReplicas | undefined;
  /** Then it looks again whether it still is. */
  #isRefused = false;
  readonly #alarm: Alarm;
  readonly #revocations: Revocations;
  readonly #webhooks: Webhooks;
  readonly #postPaid: PostPaid;
  readonly #payers = new WeakMap<WebSocket, readonly SocketPayer[]>();
  readonly #keySets = new KeySets({
    clock: systemClock,
    fetch: (address, init) => fetch(address, init),
  });

  constructor(ctx: DurableObjectState, env: RoomEnv) {
    super(ctx, env);
    this.#revocations = new Revocations(ctx.storage.sql, systemClock);
    answerHeartbeats(ctx);
    this.#webhooks = openWebhooks(ctx, env, "room");
    this.#postPaid = new PostPaid({
      clock: systemClock,
      take: async (quota, wants) => {
        const { QUOTAS } = env;
        if (QUOTAS === undefined) return { ok: true, grants: [] };
        return await QUOTAS.get(QUOTAS.idFromString(quota)).take(wants);
      },
    });
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
    const classes = unlessRefused(() => readRoomClasses(env), "room");
    this.#isRefused = classes === undefined;
    const room = new Room({
      sql: ctx.storage.sql,
      clock: systemClock,
      random: () => Math.random(),
      newId: () => crypto.randomUUID(),
      settings: classes ? settingsFor(ctx.id.name ?? "", classes) : settingsMeanwhile(),
      sockets: ctx.getWebSockets(),
      lastBeat: lastBeatOf(ctx),
      onFlush: () => {
        this.#replicas?.followers.tell();
        this.#schedule();
      },
      report: reporterFor("room"),
      readToken: async (token) => {
        const target = { kind: "rooms", name: ctx.id.name ?? "" } as const;
        const permit = await readPermit(token, env, target, this.#keySets);
        this.#revocations.check(permit);
        return permit;
      },
      turns: turnsOf(ctx),
      transact: (run) => {
        ctx.storage.transactionSync(run);
      },
      spend: (socket, bytes) => this.#postPaid.spend(this.#payersOf(socket as WebSocket), bytes),
    });
    this.#replicas = new RoomReplicas({
      log: room.log,
      objects: env.ROOM_REPLICAS,
      onPause: () => {
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
    const refusal = refuseRevoked(request, this.#revocations);
    if (refusal !== undefined) return refusal;
    // Asking makes no room.
    if (this.#existing === undefined && request.headers.has(PROBE_HEADER)) return new Response();
    const response = acceptSocket(this.ctx, this.#room.audience, request);
    // Members come back when the room was killed, perhaps with something that it had to hand on.
    this.#replicas?.followers.tell();
    this.#schedule();
    return response;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    const room = this.#room;
    room.receive(socket, message);
    this.#noteOccupancy();
    // Else it is when the flush has left.
    if (!room.audience.isDelivering) this.#schedule();
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    releaseSlots(this.ctx, this.env, socket);
    this.#room.audience.disconnect(socket);
    answerClose(socket, code);
    this.#noteOccupancy();
    this.#schedule();
  }

  override webSocketError(socket: WebSocket): void {
    releaseSlots(this.ctx, this.env, socket);
    this.#room.audience.disconnect(socket);
    this.#noteOccupancy();
    this.#schedule();
  }

  override async alarm(): Promise<void> {
    this.#alarm.rang();
    this.#existing?.sweep();
    this.#replicas?.followers.tell();
    this.#noteOccupancy();
    // Before the receiver is waited for, who may take long.
    this.#schedule();
    await this.#webhooks.deliver();
    this.#schedule();
  }

  /**
   * Publishes a request's messages; resolves when all of them are durable.
   *
   * @param options.key see {@link publishRequest}.
   */
  async publish(
    messages: readonly Message[],
    { key, bearing }: { readonly key?: string | undefined; readonly bearing?: Bearing } = {},
  ): Promise<Outcome<{ epoch: string; seqs: readonly number[] }>> {
    return await outcome("room", async () => {
      this.#revocations.check(bearing);
      const room = this.#room;
      const seqs = await publishRequest(room, messages, key);
      return { epoch: room.log.epoch, seqs };
    });
  }

  /** Lets a request pass whose token counts here, before it asks for something that cannot be refused. */
  async checkBearing(bearing: Bearing): Promise<Outcome<null>> {
    return await outcome("room", () => {
      this.#revocations.check(bearing);
      return null;
    });
  }

  /** Tokens that count here no longer: whoever is here with one goes; returns how many. */
  async revoke(revoked: Revoked, lifetimeS: number): Promise<Outcome<number>> {
    return await outcome("room", async () => {
      this.#revocations.add(revoked, lifetimeS);
      const closed = this.#existing?.audience.endWhere(
        ({ permit }) => this.#revocations.has(permit),
        CLOSE.notAllowed,
      );
      return (closed ?? 0) + ((await this.#replicas?.revoke(revoked, lifetimeS)) ?? 0);
    });
  }

  /** From now on a replica of the room's log is handed what is new, for a reader whose token counts here. */
  async follow(replica: string, bearing?: Bearing): Promise<Outcome<Standing>> {
    return await outcome("room", () => {
      this.#revocations.check(bearing);
      const { epoch, head, tail } = this.#room.log;
      this.#replicas?.followers.add(replica);
      return { epoch, head, tail };
    });
  }

  /** See {@link readPage}. */
  read(from: From, size: PageSize): RoomPage {
    return readPage(this.#existing?.log, from, size);
  }

  /**
   * Changes a document; see {@link changeDocument}.
   */
  async changeDocument(
    document: string,
    update: Uint8Array,
    { bearing, ...author }: Author & { readonly bearing: Bearing },
  ): Promise<Outcome<Position>> {
    return await outcome("room", async () => {
      this.#revocations.check(bearing);
      const room = this.#room;
      const seq = await changeDocument(room, document, update, author);
      return { epoch: room.log.epoch, seq };
    });
  }

  /** Deletes a document for good; whether there ever was one. */
  async deleteDocument(
    document: string,
    { bearing, ...author }: Author & { readonly bearing: Bearing },
  ): Promise<Outcome<boolean>> {
    return await outcome("room", async () => {
      this.#revocations.check(bearing);
      const room = this.#existing;
      return room !== undefined && (await deleteDocument(room, document, author));
    });
  }

  /** A document with everything that was published before. */
  async readDocument(document: string, bearing: Bearing): Promise<Outcome<DocumentState>> {
    return await outcome("room", () => {
      this.#revocations.check(bearing);
      const room = this.#existing;
      return room?.documents.read(room.log, document) ?? readNoDocument(document);
    });
  }

  /** Puts a smaller update in the place of what {@link readDocument} has given; see {@link Documents.compact}. */
  compactDocument(document: string, upTo: number, update: Uint8Array): void {
    this.#existing?.documents.compact(document, upTo, update);
  }

  /** The documents of the room. */
  async listDocuments(bearing: Bearing): Promise<Outcome<readonly DocumentSummary[]>> {
    return await outcome("room", () => {
      this.#revocations.check(bearing);
      const room = this.#existing;
      return room?.documents.list(room.log) ?? [];
    });
  }

  /** Who is here; of a crowd a sample. */
  presence(): PresenceSnapshot<Raw> {
    return this.#existing?.presence() ?? { count: 0, members: [], complete: true };
  }

  /** Whether a connection is open that took this slot. */
  holds(slot: string): boolean {
    return holdsSlot(this.ctx, slot);
  }

  /** Figures for those who watch the room, its replicas' readers among its connections. */
  async stats(): Promise<Readonly<Record<string, number>>> {
    const { databaseSize: databaseBytes } = this.ctx.storage.sql;
    if (this.#existing === undefined) return { ...NO_STATS, databaseBytes };
    const own = this.#existing.stats();
    const wakes = Number(this.#existing.log.settings.get(WAKES));
    const replicas = (await this.#replicas?.stats()) ?? [];
    return { ...addFigures([own, ...replicas]), replicas: replicas.length, wakes, databaseBytes };
  }

  /** Tells when the first member comes and when the last one goes, in the turn in which it happens. */
  #noteOccupancy(): void {
    const room = this.#existing;
    const webhooks = this.#webhooks;
    if (room === undefined) return;
    if (!webhooks.wants("room.occupied") && !webhooks.wants("room.vacated")) return;
    noteOccupancy(room.log.settings, room.roster.count, (type) => {
      webhooks.tell(type, { room: this.ctx.id.name ?? "", members: room.roster.count });
    });
  }

  /** Asked with every message, and always the same for a socket. */
  #payersOf(socket: WebSocket): readonly SocketPayer[] {
    let payers = this.#payers.get(socket);
    if (payers === undefined) {
      payers = readPayers(readTags(this.ctx, socket));
      this.#payers.set(socket, payers);
    }
    return payers;
  }

  #schedule(): void {
    const dueAt = earlier(
      earlier(this.#existing?.nextSweepAt(), this.#replicas?.followers.nextTryAt),
      this.#isRefused ? systemClock.now() + SWEEP_MS : undefined,
    );
    this.#alarm.schedule(earlier(dueAt, this.#webhooks.dueAt));
  }
}
