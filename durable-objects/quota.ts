/**
 * Owns the translation between the platform and the quotas of one caller: a token's subject, or an
 * address. Refuses to decide anything about them.
 */
import { DurableObject } from "cloudflare:workers";
import { QUOTA_SWEEP_MS } from "../src/protocol/limits.ts";
import { systemClock } from "../src/stream/clock.ts";
import type { GenerationObject } from "./generation.ts";
import { Alarm } from "./platform/alarm.ts";
import { Counters, type Reserving, type Verdict, type Want } from "./quota/counters.ts";
import { type Pool, type Slot, Slots } from "./quota/slots.ts";
import { nameSlot } from "./platform/slots.ts";
import type { RoomObject } from "./room.ts";
import type { RoomReplicaObject } from "./room-replica.ts";
import type { TopicObject } from "./topic.ts";

/** The objects that hold slots. */
interface QuotaEnv {
  readonly GENERATIONS: DurableObjectNamespace<GenerationObject>;
  readonly ROOMS: DurableObjectNamespace<RoomObject>;
  readonly ROOM_REPLICAS: DurableObjectNamespace<RoomReplicaObject>;
  readonly TOPICS: DurableObjectNamespace<TopicObject>;
}

export class QuotaObject extends DurableObject<QuotaEnv> {
  readonly #alarm: Alarm;
  #counters: Counters;
  #slots: Slots;

  constructor(ctx: DurableObjectState, env: QuotaEnv) {
    super(ctx, env);
    this.#counters = new Counters(ctx.storage.sql, systemClock);
    this.#slots = new Slots(ctx.storage.sql, systemClock);
    this.#alarm = new Alarm(ctx.storage);
    void ctx.blockConcurrencyWhile(() => this.#alarm.restore());
  }

  /** See {@link Counters.take}. */
  take(wants: readonly Want[]): Verdict {
    this.#schedule();
    return this.#counters.take(wants);
  }

  /** See {@link Counters.reserve}. */
  reserve(name: string, tokens: Reserving): Verdict {
    this.#schedule();
    return this.#counters.reserve(name, tokens);
  }

  /** See {@link Counters.settle}. */
  settle(name: string, tokens: number): void {
    this.#counters.settle(name, "tokens", tokens);
  }

  /** Takes a slot; false when there are as many as there may be. */
  async open(slot: Slot, limit: number): Promise<boolean> {
    this.#schedule();
    if (this.#slots.take(slot, limit)) return true;
    await this.#recheck(slot.pool);
    return this.#slots.take(slot, limit);
  }

  /** See {@link Slots.release}. */
  close(id: string): void {
    this.#slots.release(id);
  }

  /** Forgets a caller who has nothing open and nothing that counts; addresses come and go. */
  override async alarm(): Promise<void> {
    this.#alarm.rang();
    this.#slots.expire();
    await this.#recheck("connections");
    await this.#recheck("generations");
    if (!this.#slots.isEmpty || !this.#counters.isOver) {
      this.#schedule();
      return;
    }
    await this.ctx.storage.deleteAll();
    this.#counters = new Counters(this.ctx.storage.sql, systemClock);
    this.#slots = new Slots(this.ctx.storage.sql, systemClock);
  }

  /** Gives up slots whose holders no longer know of them. */
  async #recheck(pool: Pool): Promise<void> {
    await Promise.all(
      this.#slots.suspects(pool).map(async (slot) => {
        if (!(await this.#isHeld(slot))) this.#slots.release(slot.id);
      }),
    );
  }

  async #isHeld({ id, kind, name }: Slot): Promise<boolean> {
    const { ROOMS, ROOM_REPLICAS, TOPICS, GENERATIONS } = this.env;
    const slot = nameSlot(this.ctx.id, id);
    try {
      switch (kind) {
        case "room":
          return await ROOMS.getByName(name).holds(slot);
        case "room-replica":
          return await ROOM_REPLICAS.getByName(name).holds(slot);
        case "topic":
          return await TOPICS.getByName(name).holds(slot);
        case "generation":
          return await GENERATIONS.getByName(name).holds(slot);
        case "answer":
          return true;
      }
    } catch {
      // It cannot be asked now: counted rather than forgotten.
      return true;
    }
  }

  #schedule(): void {
    this.#alarm.schedule(systemClock.now() + QUOTA_SWEEP_MS);
  }
}
