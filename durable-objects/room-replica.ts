/**
 * Owns the translation between the platform and a replica of a room's log: requests, socket events, alarms and
 * sleep in, calls of the replica out. Refuses to decide anything about a replica itself.
 */
import { DurableObject } from "cloudflare:workers";
import { CLOSE } from "../src/protocol/close-codes.ts";
import { SluiceError, toSluiceError } from "../src/protocol/errors.ts";
import { SWEEP_MS } from "../src/protocol/limits.ts";
import { roomOfReplica } from "../src/protocol/replica-name.ts";
import type { Permit } from "../src/protocol/permit.ts";
import { systemClock } from "../src/stream/clock.ts";
import { isStored } from "./log/schema.ts";
import { Alarm } from "./platform/alarm.ts";
import { PROBE_HEADER } from "./platform/headers.ts";
import { type Outcome, outcome, unwrap } from "./platform/outcome.ts";
import { reporterFor } from "./platform/report.ts";
import { type Bearing, Revocations, type Revoked } from "./platform/revocations.ts";
import { holdsSlot, releaseSlots, type SlotEnv } from "./platform/slots.ts";
import {
  acceptAdmitted,
  answerClose,
  answerHeartbeats,
  lastBeatOf,
  permitOf,
  refuse,
  refuseFull,
  refuseRevoked,
} from "./platform/sockets.ts";
import { turnsOf } from "./platform/turns.ts";
import { unlessRefused } from "./platform/unless-refused.ts";
import type { Push, PushAnswer } from "./replica/feed.ts";
import { COPY_PAGE, LOOK_MS, REPLICA_RETRY_S } from "./replica/limits.ts";
import { Replica } from "./replica/replica.ts";
import type { RoomObject } from "./room.ts";
import { readRoomClasses, settingsFor, settingsMeanwhile } from "./room/settings.ts";

/** A replica reads its room. */
interface ReplicaEnv extends SlotEnv {
  readonly ROOMS: DurableObjectNamespace<RoomObject>;
  readonly [variable: string]: unknown;
}

const PREFIX = "log";
const NAME = "name";
const LOOKED_AT = "lookedAt";

/** Figures of a replica that nobody reads. */
const NO_STATS = { connections: 0, live: 0, lagging: 0, outstandingBytes: 0 };

export class RoomReplicaObject extends DurableObject<ReplicaEnv> {
  /** Undefined as long as nobody has read it: what is left when all have gone is nothing. */
  #existing: Replica | undefined;
  #revocations: Revocations;
  readonly #alarm: Alarm;
  readonly #report = reporterFor("room-replica");

  constructor(ctx: DurableObjectState, env: ReplicaEnv) {
    super(ctx, env);
    answerHeartbeats(ctx);
    this.#revocations = new Revocations(ctx.storage.sql, systemClock);
    if (isStored(ctx.storage.sql, PREFIX)) this.#existing = this.#open();
    this.#alarm = new Alarm(ctx.storage);
    void ctx.blockConcurrencyWhile(() => this.#alarm.restore());
  }

  /** Accepts the socket of a reader; called by the Worker only, which has checked and set the headers. */
  override async fetch(request: Request): Promise<Response> {
    const permit = permitOf(request);
    try {
      if (!request.headers.has(PROBE_HEADER)) return await this.#letIn(request, permit);
      // Asking makes no copy.
      unwrap(await this.#room.checkBearing(permit));
      return (this.#existing && refuseFull(this.#existing.audience)) ?? new Response(null);
    } catch (thrown) {
      return refuse(this.#toRefusal(thrown));
    }
  }

  async #letIn(request: Request, permit: Permit): Promise<Response> {
    if (this.ctx.id.name !== undefined) this.#keep(NAME, this.ctx.id.name);
    const replica = (this.#existing ??= this.#open());
    // Before the room is asked, which is to have peace when everybody comes at once.
    const full = refuseFull(replica.audience);
    if (full !== undefined) return full;
    using _reader = replica.expectReader();
    // Should nobody come after all, there is something to clear away.
    this.#schedule();
    await this.#follow(replica, permit);
    // What was revoked while the room was asked, the replica was told.
    const refusal = refuseRevoked(request, this.#revocations);
    return refusal ?? acceptAdmitted(this.ctx, replica.audience, request);
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    if (this.#existing === undefined) return;
    this.#existing.audience.receive(socket, message);
    this.#schedule();
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    releaseSlots(this.ctx, this.env, socket);
    this.#existing?.audience.disconnect(socket);
    answerClose(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    releaseSlots(this.ctx, this.env, socket);
    this.#existing?.audience.disconnect(socket);
  }

  override async alarm(): Promise<void> {
    this.#alarm.rang();
    const replica = this.#existing;
    if (replica === undefined) return;
    replica.audience.sweep();
    if (replica.isIdle) {
      this.#existing = undefined;
      await this.ctx.storage.deleteAll();
      this.#revocations = new Revocations(this.ctx.storage.sql, systemClock);
      return;
    }
    this.#schedule();
    if (systemClock.now() - Number(this.ctx.storage.kv.get(LOOKED_AT) ?? 0) < LOOK_MS) return;
    this.ctx.storage.kv.put(LOOKED_AT, systemClock.now());
    try {
      // A room that was killed in the middle of a push may not know that it owes one.
      await this.#follow(replica);
    } catch (thrown) {
      this.#report(toSluiceError(thrown));
    }
  }

  /** See {@link Replica.take}; called by the room. */
  async take(push: Push): Promise<PushAnswer> {
    const answer = await this.#existing?.take(push);
    if (answer === undefined) return { kind: "idle" };
    // Who begins to lag is not waited for as long as others.
    this.#schedule();
    return answer;
  }

  /** Tokens that count no longer: whoever reads with one is sent away; returns how many. Called by the room. */
  async revoke(revoked: Revoked, lifetimeS: number): Promise<Outcome<number>> {
    return await outcome("room-replica", () => {
      if (this.#existing === undefined) return 0;
      this.#revocations.add(revoked, lifetimeS);
      return this.#existing.audience.endWhere(
        ({ permit }) => this.#revocations.has(permit),
        CLOSE.notAllowed,
      );
    });
  }

  /** Whether a connection is open that took this slot. */
  holds(slot: string): boolean {
    return holdsSlot(this.ctx, slot);
  }

  /** Figures for those who watch the room. */
  stats(): Record<keyof typeof NO_STATS, number> {
    return this.#existing?.stats() ?? NO_STATS;
  }

  /**
   * Asks to be handed what is new, and reads what is missing.
   *
   * @throws SluiceError `token_revoked`, and what the platform throws when the room cannot be asked.
   */
  async #follow(replica: Replica, bearing?: Bearing): Promise<void> {
    await replica.catchUp(unwrap(await this.#room.follow(this.#name, bearing)));
  }

  /** What it is called, by its own word where the platform does not say it: alarms may come without. */
  get #name(): string {
    const name = this.ctx.id.name ?? this.ctx.storage.kv.get(NAME);
    if (typeof name !== "string") throw new Error("a replica without a name");
    return name;
  }

  #keep(key: string, value: string): void {
    const { kv } = this.ctx.storage;
    if (kv.get(key) !== value) kv.put(key, value);
  }

  get #room(): DurableObjectStub<RoomObject> {
    return this.env.ROOMS.getByName(roomOfReplica(this.#name));
  }

  #open(): Replica {
    const { ctx, env } = this;
    const classes = unlessRefused(() => readRoomClasses(env), "room-replica");
    const room = roomOfReplica(this.#name);
    return new Replica({
      sql: ctx.storage.sql,
      clock: systemClock,
      random: () => Math.random(),
      newId: () => crypto.randomUUID(),
      settings: classes ? settingsFor(room, classes) : settingsMeanwhile(),
      sockets: ctx.getWebSockets(),
      lastBeat: lastBeatOf(ctx),
      report: this.#report,
      turns: turnsOf(ctx),
      read: async (after, epoch) => {
        const { page } = await this.#room.read({ epoch, seq: after }, COPY_PAGE);
        return page;
      },
    });
  }

  /** A room that cannot be asked now may be in a moment. */
  #toRefusal(thrown: unknown): SluiceError {
    const error = toSluiceError(thrown);
    if (error.code !== "internal") return error;
    this.#report(error);
    return new SluiceError("room_overloaded", { retryAfter: REPLICA_RETRY_S });
  }

  #schedule(): void {
    const dueAt = this.#existing?.audience.nextSweepAt() ?? systemClock.now() + SWEEP_MS;
    this.#alarm.schedule(dueAt);
  }
}
