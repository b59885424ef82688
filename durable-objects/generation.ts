/**
 * Owns the translation between the platform and a generation: calls, socket events, alarms and sleep
 * in, calls of the generation out. Refuses to decide anything about a generation itself.
 */
import { DurableObject } from "cloudflare:workers";
import { streamAnswer } from "../src/llm/answer.ts";
import { describeFailedAttempt } from "../src/llm/failed-attempt.ts";
import type { ChatRequest } from "../src/llm/request.ts";
import { selectUpstreams } from "../src/llm/select-upstreams.ts";
import { CLOSE } from "../src/protocol/close-codes.ts";
import { SluiceError } from "../src/protocol/errors.ts";
import {
  ANSWER_OVER_FACTOR,
  GENERATION_PULSE_MS,
  MAX_KEPT_REQUEST_CHARS,
} from "../src/protocol/limits.ts";
import { systemClock } from "../src/stream/clock.ts";
import { ask } from "./generation/ask.ts";
import { type Description, describe } from "./generation/description.ts";
import { Generation, type GenerationContext } from "./generation/generation.ts";
import type { GenerationRecord } from "./generation/record.ts";
import { rehearse } from "./generation/rehearse.ts";
import { SETTINGS_MEANWHILE, settingsOf } from "./generation/settings.ts";
import { Starts } from "./generation/starts.ts";
import { type EndedEnv, releaseChat, tellEnds } from "./generation/tell-ended.ts";
import { isStored } from "./log/schema.ts";
import { Alarm } from "./platform/alarm.ts";
import { STARTING_HEADER } from "./platform/headers.ts";
import { earlier, openWebhooks } from "./platform/open-webhooks.ts";
import { type Outcome, outcome, unwrap } from "./platform/outcome.ts";
import { reporterFor } from "./platform/report.ts";
import { giveBackSlots, holdsSlot, releaseSlots } from "./platform/slots.ts";
import {
  acceptEarly,
  acceptSocket,
  answerClose,
  answerHeartbeats,
  lastBeatOf,
} from "./platform/sockets.ts";
import { unlessRefused } from "./platform/unless-refused.ts";
import type { Webhooks } from "./webhook/webhooks.ts";

/** What generations need of the Worker's environment. */
interface GenerationEnv extends EndedEnv {
  readonly GENERATIONS: DurableObjectNamespace<GenerationObject>;
  readonly [variable: string]: unknown;
}

/** Asks for an answer. */
export interface StartCall {
  /** Named anew for each call, and by the viewer's socket that travels with it. */
  readonly attempt: string;
  readonly record: Omit<GenerationRecord, "startedAt">;
  /** The request to the provider, as JSON. */
  readonly request: string;
  /** Chunks that the answer begins with, as JSON. */
  readonly said: readonly string[];
}

/** What tells the same request of the same caller from others. */
type Same = Pick<GenerationRecord, "owner" | "fingerprint">;

/** Whose an answer has to be for the caller; null when the Worker has seen that it may be anybody's. */
type Owner = string | null;

/** What came of it. */
export interface Started {
  /** False when the same request had been made before. */
  readonly isNew: boolean;
  readonly description: Description;
}

export class GenerationObject extends DurableObject<GenerationEnv> {
  #generation: Generation | undefined;
  #starting: Promise<void> | undefined;
  readonly #starts = new Starts();
  readonly #alarm: Alarm;
  readonly #webhooks: Webhooks;

  constructor(ctx: DurableObjectState, env: GenerationEnv) {
    super(ctx, env);
    answerHeartbeats(ctx);
    this.#webhooks = openWebhooks(ctx, env, "generation");
    this.#alarm = new Alarm(ctx.storage);
    const isKept = isStored(ctx.storage.sql, "log");
    // Where nothing is kept, nothing is due: asking for an answer that was never given stores nothing.
    if (!isKept && this.#webhooks.dueAt === undefined) return;
    void ctx.blockConcurrencyWhile(async () => {
      await this.#alarm.restore();
      this.#schedule();
    });
    if (!isKept) return;
    this.#generation = this.#open();
    this.#generation.settle();
  }

  /** Accepts a viewer's socket; called by the Worker only, which has checked the caller. */
  override async fetch(request: Request): Promise<Response> {
    const attempt = request.headers.get(STARTING_HEADER);
    if (this.#generation === undefined) {
      if (attempt !== null && !this.#starts.isOver(attempt)) return this.#expect(attempt, request);
      return Response.json({ code: "not_found", retryAfter: 0 }, { status: 404 });
    }
    const response = acceptSocket(this.ctx, this.#generation.audience, request);
    this.#schedule();
    return response;
  }

  /** Lets in the viewer that travels with the call that starts the answer, and is here first. */
  #expect(attempt: string, request: Request): Response {
    const { response, socket, join } = acceptEarly(this.ctx, request);
    this.#starts.wait(attempt, () => {
      if (this.#generation === undefined) {
        releaseSlots(this.ctx, this.env, socket);
        socket.close(CLOSE.roomGone.code, CLOSE.roomGone.meaning);
        return;
      }
      if (!join(this.#generation.audience)) this.#generation.onMissed();
      this.#schedule();
    });
    return response;
  }

  override webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): void {
    this.#generation?.audience.receive(socket, message);
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    releaseSlots(this.ctx, this.env, socket);
    this.#generation?.audience.disconnect(socket);
    answerClose(socket, code);
  }

  override webSocketError(socket: WebSocket): void {
    releaseSlots(this.ctx, this.env, socket);
    this.#generation?.audience.disconnect(socket);
  }

  override async alarm(): Promise<void> {
    this.#alarm.rang();
    this.#generation?.sweep();
    if (this.#generation?.isExpired === true) await this.#delete(this.#generation);
    // Before the receiver is waited for, who may take long.
    this.#schedule();
    await this.#webhooks.deliver();
    this.#schedule();
    // The last that was told of an answer that is deleted.
    if (this.#generation !== undefined || this.#starting !== undefined) return;
    if (this.#webhooks.dueAt !== undefined) return;
    this.#alarm.rang();
    await this.ctx.storage.deleteAll();
    this.#webhooks.restore([]);
  }

  /**
   * Is made by being called, for an answer that takes its name later. All that it stores is the alarm which the
   * answer would have to set, and which forgets the object when there is none by then.
   */
  async wake(): Promise<void> {
    if (this.#generation !== undefined || this.#starting !== undefined) return;
    rehearse(this.ctx.storage);
    this.#alarm.schedule(systemClock.now() + GENERATION_PULSE_MS);
  }

  /** Starts the answer, or finds that it was started by the same request before. */
  async start(call: StartCall): Promise<Outcome<Started>> {
    return await outcome("generation", async () => {
      const isNew = this.#generation === undefined && this.#starting === undefined;
      if (this.#generation === undefined) {
        this.#starting ??= this.#begin(call).finally(() => {
          this.#starting = undefined;
        });
        await this.#starting;
      }
      return { isNew, description: this.#describeSame(call.record) };
    }).finally(() => {
      this.#starts.end(call.attempt);
      // An answer that was begun by another call, or by none, is written with that one's slots.
      const kept = new Set(this.#generation?.record.slots);
      const unused = call.record.slots.filter((slot) => !kept.has(slot));
      giveBackSlots(this.ctx, this.env, unused);
    });
  }

  /** What is known of the answer that the same request has started; undefined where there is none. */
  async find(request: Same): Promise<Outcome<Description | undefined>> {
    return await outcome("generation", async () => {
      await this.#starting?.catch(() => {});
      return this.#generation === undefined ? undefined : this.#describeSame(request);
    });
  }

  /** What is known of the answer. */
  async describe(owner: Owner): Promise<Outcome<Description>> {
    return await outcome("generation", () => describe(this.#require(owner)));
  }

  /** Stops the answer; one that has ended stays as it is. */
  async cancel(owner: Owner): Promise<Outcome<Description>> {
    return await outcome("generation", async () => {
      // One that is replaced as it starts would run on: nobody stops it again.
      await this.#starting?.catch(() => {});
      const generation = this.#require(owner);
      generation.stop();
      return describe(generation);
    });
  }

  /** Stops the answer and forgets everything about it. */
  async remove(owner: Owner): Promise<Outcome<null>> {
    return await outcome("generation", async () => {
      await this.#delete(this.#require(owner));
      return null;
    });
  }

  /** The request as it was made, so that it can be made again. */
  async requestOf(owner: Owner): Promise<Outcome<{ request: string; record: GenerationRecord }>> {
    return await outcome("generation", () => {
      const { request, record, isRunning } = this.#require(owner);
      if (isRunning) throw new SluiceError("generation_running");
      if (request === undefined) {
        throw new SluiceError("not_found", { detail: "The request was too large to be kept." });
      }
      return { request, record };
    });
  }

  /** Another generation was asked for in place of this one. */
  async followedBy(owner: Owner, id: string): Promise<Outcome<null>> {
    return await outcome("generation", () => {
      this.#require(owner).followedBy = id;
      return null;
    });
  }

  /** Whether a connection is open that took this slot, or the answer that did is being written. */
  holds(slot: string): boolean {
    // It may be the slot of what is starting.
    if (holdsSlot(this.ctx, slot) || this.#starting !== undefined) return true;
    const generation = this.#generation;
    return generation?.isRunning === true && generation.record.slots.includes(slot);
  }

  /** Figures for those who watch the object. */
  async stats(owner: Owner): Promise<Outcome<Readonly<Record<string, number>>>> {
    return await outcome("generation", () => {
      const { isRunning, log, audience } = this.#require(owner);
      return {
        running: isRunning ? 1 : 0,
        ...log.stats,
        rowsWritten: log.stats.rowsWritten + this.#alarm.rowsWritten,
        ...audience.stats(),
        databaseBytes: this.ctx.storage.sql.databaseSize,
      };
    });
  }

  /** Writes the answer, and stops the one that it replaces in its chat. */
  async #begin({ attempt, record, request, said }: StartCall): Promise<void> {
    const { upstreams, answer: limits } = settingsOf(this.env);
    const { chat } = record;
    let superseded: string | undefined;
    if (chat !== null) {
      superseded = unwrap(
        await this.env.GENERATION_INDEX.getByName(record.owner).reserve({
          id: this.#id,
          chat,
          untilMs: systemClock.now() + ANSWER_OVER_FACTOR * limits.totalMs,
        }),
      );
    }
    const startedAt = systemClock.now();
    const asked = await ask(
      (signal) =>
        streamAnswer(JSON.parse(request) as ChatRequest, {
          signal,
          clock: systemClock,
          random: () => Math.random(),
          upstreams: selectUpstreams(upstreams, systemClock),
          limits,
          onFailedAttempt: (upstream, error) => {
            const line = describeFailedAttempt(upstream, error);
            // oxlint-disable-next-line no-console -- the platform's log is the console
            console.log(JSON.stringify({ ...line, generation: this.#id }));
          },
        }),
      systemClock,
    );
    try {
      // All of it or nothing: a part of it would be found by the object's next life, and be no answer.
      const generation = this.ctx.storage.transactionSync(() =>
        this.#open({
          record: { ...record, startedAt },
          request: request.length <= MAX_KEPT_REQUEST_CHARS ? request : undefined,
        }),
      );
      this.#generation = generation;
      this.#schedule();
      this.ctx.waitUntil(generation.run(asked, said));
      // Whoever is there before the first token is handed it, and does not have to look for it.
      this.#starts.end(attempt);
    } catch (thrown) {
      asked[Symbol.dispose]();
      // Before it can be asked for again, and takes its place in the chat again.
      await releaseChat(this.env, { id: this.#id, record });
      throw thrown;
    } finally {
      // Here and not in the Worker, which may be gone with its client: the two count as one. Also by one
      // that fails, which has taken its place in the chat: nobody would find it there to stop it.
      if (superseded !== undefined) {
        const replaced = this.env.GENERATIONS.getByName(superseded);
        this.ctx.waitUntil(replaced.cancel(record.owner).catch(() => {}));
      }
    }
  }

  #open(beginning?: ConstructorParameters<typeof Generation>[1]): Generation {
    const settings = unlessRefused(() => settingsOf(this.env).generations, "generation");
    const { flushMs, ttlMs } = settings ?? SETTINGS_MEANWHILE;
    const context: GenerationContext = {
      id: this.#id,
      sql: this.ctx.storage.sql,
      clock: systemClock,
      random: () => Math.random(),
      newId: () => crypto.randomUUID(),
      flushMs,
      ttlMs,
      sockets: this.ctx.getWebSockets(),
      lastBeat: lastBeatOf(this.ctx),
      report: reporterFor("generation"),
      ...tellEnds({ ctx: this.ctx, env: this.env, webhooks: this.#webhooks }, () => {
        this.#schedule();
      }),
    };
    return new Generation(context, beginning);
  }

  async #delete(generation: Generation): Promise<void> {
    generation.remove();
    this.#generation = undefined;
    this.#alarm.rang();
    // What is still to be told outlives the answer.
    const { waiting } = this.#webhooks;
    await this.ctx.storage.deleteAll();
    this.#webhooks.restore(waiting);
    this.#schedule();
  }

  #describeSame({ owner, fingerprint }: Same): Description {
    const generation = this.#require(owner);
    if (generation.record.fingerprint === fingerprint) return describe(generation);
    throw new SluiceError("idempotency_conflict", { param: "Idempotency-Key" });
  }

  /** Somebody else's answer is no answer at all. */
  #require(owner: Owner): Generation {
    const generation = this.#generation;
    if (generation === undefined || (owner !== null && generation.record.owner !== owner)) {
      throw new SluiceError("not_found", { detail: "There is no such answer, or no longer." });
    }
    return generation;
  }

  #schedule(): void {
    this.#alarm.schedule(earlier(this.#generation?.dueAt, this.#webhooks.dueAt));
  }

  get #id(): string {
    return this.ctx.id.name ?? "";
  }
}
