/**
 * Owns the translation between the platform and a topic: requests, socket events, alarms and sleep in,
 * calls of the topic out. Refuses to decide anything about a topic itself.
 */
import { DurableObject } from "cloudflare:workers";
import type { Position } from "../src/protocol/frames.ts";
import { parsePosition } from "../src/protocol/position.ts";
import { systemClock } from "../src/stream/clock.ts";
import type { From, PageSize } from "./log/log.ts";
import { Alarm } from "./platform/alarm.ts";
import { POSITION_HEADER } from "./platform/headers.ts";
import { type Outcome, outcome } from "./platform/outcome.ts";
import { reporterFor } from "./platform/report.ts";
import { acceptSocket, answerClose, answerHeartbeats, lastBeatOf } from "./platform/sockets.ts";
import type { Append, AppendResult, Opened } from "./topic/appending.ts";
import type { TopicSettings } from "./topic/settings.ts";
import { Topic, type TopicDescription, type TopicPage } from "./topic/topic.ts";

/** A topic knows others: those it was forked from. */
interface Bindings {
  readonly TOPICS: DurableObjectNamespace<TopicObject>;
}

export class TopicObject extends DurableObject {
  readonly #topic: Topic;
  readonly #alarm: Alarm;
  readonly #awakeSince = systemClock.now();

  constructor(ctx: DurableObjectState, env: unknown) {
    super(ctx, env as Cloudflare.Env);
    answerHeartbeats(ctx);
    this.#topic = new Topic({
      sql: ctx.storage.sql,
      clock: systemClock,
      random: () => Math.random(),
      newId: () => crypto.randomUUID(),
      sockets: ctx.getWebSockets(),
      lastBeat: lastBeatOf(ctx),
      report: reporterFor("topic"),
      leaveSource: ({ topic, as }) => {
        ctx.waitUntil((env as Bindings).TOPICS.getByName(topic).removeFork(as));
      },
    });
    this.#alarm = new Alarm(ctx.storage);
    void ctx.blockConcurrencyWhile(() => this.#alarm.restore());
  }

  /** Accepts the socket of a reader; 204 when the topic is closed and the reader has all of it. */
  override fetch(request: Request): Response {
    const position = parsePosition(request.headers.get(POSITION_HEADER) ?? "");
    if (position !== undefined && this.#topic.isOver(position)) {
      return new Response(null, { status: 204 });
    }
    this.#topic.expectReader();
    const response = acceptSocket(this.ctx, this.#topic.audience, request);
    this.#schedule();
    return response;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#topic.audience.receive(socket, message);
    this.#schedule();
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    this.#topic.audience.disconnect(socket);
    answerClose(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    this.#topic.audience.disconnect(socket);
  }

  override alarm(): void {
    this.#alarm.rang();
    this.#topic.sweep();
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
  }

  /** See {@link Topic.isGone}. */
  isGone(): boolean {
    return this.#topic.isGone();
  }

  /** See {@link Topic.append}. */
  async append(request: Append): Promise<Outcome<AppendResult>> {
    const result = await outcome("topic", () => this.#topic.append(request));
    this.#schedule();
    return result;
  }

  /** See {@link Topic.delete}. */
  delete(): boolean {
    return this.#topic.delete();
  }

  /** See {@link Topic.describe}. */
  describe(): TopicDescription | undefined {
    return this.#topic.describe();
  }

  /** See {@link Topic.read}. */
  read(from: From, size: PageSize): TopicPage {
    const page = this.#topic.read(from, size);
    this.#schedule();
    return page;
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
    this.#alarm.schedule(this.#topic.nextSweepAt());
  }
}
