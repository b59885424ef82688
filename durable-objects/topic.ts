/**
 * Owns the translation between the platform and a topic: requests, socket events, alarms and sleep in,
 * calls of the topic out. Refuses to decide anything about a topic itself.
 */
import { DurableObject } from "cloudflare:workers";
import { CLOSE } from "../src/protocol/close-codes.ts";
import type { Position } from "../src/protocol/frames.ts";
import { formatPosition } from "../src/protocol/position.ts";
import { systemClock } from "../src/stream/clock.ts";
import type { From, PageSize } from "./log/log.ts";
import { Alarm } from "./platform/alarm.ts";
import { PROBE_HEADER } from "./platform/headers.ts";
import { earlier, openWebhooks } from "./platform/open-webhooks.ts";
import { type Outcome, outcome } from "./platform/outcome.ts";
import { type Bearing, Revocations, type Revoked } from "./platform/revocations.ts";
import { reporterFor } from "./platform/report.ts";
import { holdsSlot, releaseSlots, type SlotEnv } from "./platform/slots.ts";
import {
  acceptSocket,
  answerClose,
  answerHeartbeats,
  lastBeatOf,
  refuseRevoked,
  startOf,
} from "./platform/sockets.ts";
import type { Append, AppendResult, Opened } from "./topic/appending.ts";
import type { TopicSettings } from "./topic/settings.ts";
import { Topic, type TopicDescription, type TopicPage } from "./topic/topic.ts";
import type { Webhooks } from "./webhook/webhooks.ts";

/** A topic knows others: those it was forked from. */
interface TopicEnv extends SlotEnv {
  readonly TOPICS: DurableObjectNamespace<TopicObject>;
}

export class TopicObject extends DurableObject<TopicEnv> {
  readonly #topic: Topic;
  readonly #alarm: Alarm;
  readonly #revocations: Revocations;
  readonly #webhooks: Webhooks;
  readonly #awakeSince = systemClock.now();

  constructor(ctx: DurableObjectState, env: TopicEnv) {
    super(ctx, env);
    answerHeartbeats(ctx);
    this.#revocations = new Revocations(ctx.storage.sql, systemClock);
    this.#webhooks = openWebhooks(ctx, env, "topic");
    this.#topic = new Topic({
      sql: ctx.storage.sql,
      clock: systemClock,
      random: () => Math.random(),
      newId: () => crypto.randomUUID(),
      sockets: ctx.getWebSockets(),
      lastBeat: lastBeatOf(ctx),
      report: reporterFor("topic"),
      closed: (outcome, position) => {
        const topic = ctx.id.name ?? "";
        this.#webhooks.tell("topic.closed", { topic, outcome, position: formatPosition(position) });
      },
      leaveSource: async ({ topic, as }) => {
        await env.TOPICS.getByName(topic).removeFork(as);
      },
    });
    this.#alarm = new Alarm(ctx.storage);
    void ctx.blockConcurrencyWhile(() => this.#alarm.restore());
  }

  /** Accepts the socket of a reader; 204 when the topic is closed and the reader has all of it. */
  override fetch(request: Request): Response {
    const refusal = refuseRevoked(request, this.#revocations);
    if (refusal !== undefined) return refusal;
    const isProbe = request.headers.has(PROBE_HEADER);
    const start = startOf(request);
    if (start !== undefined && this.#topic.isOver(start)) {
      return new Response(null, { status: 204 });
    }
    if (!isProbe) this.#topic.expectReader();
    const response = acceptSocket(this.ctx, this.#topic.audience, request);
    this.#schedule();
    return response;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#topic.audience.receive(socket, message);
    this.#schedule();
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    releaseSlots(this.ctx, this.env, socket);
    this.#topic.audience.disconnect(socket);
    answerClose(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    releaseSlots(this.ctx, this.env, socket);
    this.#topic.audience.disconnect(socket);
  }

  override async alarm(): Promise<void> {
    this.#alarm.rang();
    this.#topic.sweep();
    // Before the receiver is waited for, who may take long.
    this.#schedule();
    await this.#webhooks.deliver();
    this.#schedule();
  }

  /** See {@link Topic.create}. */
  create(settings: TopicSettings, start?: Position): "created" | "same" | "different" {
    const result = this.#topic.create(settings, start);
    this.#schedule();
    return result;
  }

  /** See {@link Topic.open}. */
  async open(settings: TopicSettings, first: Append, start?: Position): Promise<Outcome<Opened>> {
    const result = await outcome("topic", () => this.#topic.open(settings, first, start));
    this.#schedule();
    return result;
  }

  /** See {@link Topic.addFork}. */
  addFork(name: string): void {
    this.#topic.addFork(name);
  }

  /** See {@link Topic.removeFork}. */
  removeFork(name: string): void {
    this.#topic.removeFork(name);
    this.#schedule();
  }

  /** See {@link Topic.isGone}. */
  isGone(): boolean {
    const isGone = this.#topic.isGone();
    this.#schedule();
    return isGone;
  }

  /** See {@link Topic.append}. */
  async append(request: Append, bearing?: Bearing): Promise<Outcome<AppendResult>> {
    const result = await outcome("topic", () => {
      this.#revocations.check(bearing);
      return this.#topic.append(request);
    });
    this.#schedule();
    return result;
  }

  /** Lets a request pass whose token counts here, before it asks for something that cannot be refused. */
  async checkBearing(bearing: Bearing): Promise<Outcome<null>> {
    return await outcome("topic", () => {
      this.#revocations.check(bearing);
      return null;
    });
  }

  /** Tokens that count here no longer: whoever reads with one is sent away; returns how many. */
  async revoke(revoked: Revoked, lifetimeS: number): Promise<Outcome<number>> {
    return await outcome("topic", () => {
      this.#revocations.add(revoked, lifetimeS);
      return this.#topic.audience.endWhere(
        ({ permit }) => this.#revocations.has(permit),
        CLOSE.notAllowed,
      );
    });
  }

  /** See {@link Topic.delete}. */
  delete(): boolean {
    const existed = this.#topic.delete();
    this.#schedule();
    return existed;
  }

  /** See {@link Topic.describe}. */
  describe(): TopicDescription | undefined {
    return this.#topic.describe();
  }

  /** The same, for whom a token speaks that counts here. */
  async describeTo(bearing: Bearing): Promise<Outcome<TopicDescription | undefined>> {
    return await outcome("topic", () => {
      this.#revocations.check(bearing);
      return this.#topic.describe();
    });
  }

  /** See {@link Topic.read}. */
  read(from: From, size: PageSize): TopicPage {
    const page = this.#topic.read(from, size);
    this.#schedule();
    return page;
  }

  /** See {@link Topic.bytesUpTo}. */
  bytesUpTo(seq: number): number {
    return this.#topic.bytesUpTo(seq);
  }

  /** Whether a connection is open that took this slot. */
  holds(slot: string): boolean {
    return holdsSlot(this.ctx, slot);
  }

  /** Figures for those who watch the topic. */
  stats(): Readonly<Record<string, number>> {
    return {
      ...this.#topic.stats(),
      awakeSince: this.#awakeSince,
      databaseBytes: this.ctx.storage.sql.databaseSize,
    };
  }

  #schedule(): void {
    this.#alarm.schedule(earlier(this.#topic.nextSweepAt(), this.#webhooks.dueAt));
  }
}
