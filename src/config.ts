/**
 * Owns the reading of variables and bindings: everything the operator may set is parsed here, once.
 * Refuses to know what the settings are used for. A value is never repeated in an error: it may be a secret.
 */
import * as v from "valibot";
import type { GenerationIndexObject } from "../durable-objects/generation-index.ts";
import type { GenerationObject } from "../durable-objects/generation.ts";
import {
  type GenerationSettings,
  readGenerationSettings,
} from "../durable-objects/generation/settings.ts";
import type { JobObject } from "../durable-objects/job.ts";
import type { QuotaObject } from "../durable-objects/quota.ts";
import type { RoomObject } from "../durable-objects/room.ts";
import type { RoomReplicaObject } from "../durable-objects/room-replica.ts";
import { readRoomClasses, type RoomClasses } from "../durable-objects/room/settings.ts";
import type { TicketObject } from "../durable-objects/ticket.ts";
import type { TopicObject } from "../durable-objects/topic.ts";
import { readWebhookSettings } from "../durable-objects/webhook/settings.ts";
import { type AuthSettings, readAuthSettings } from "./auth/settings.ts";
import { type AnswerSettings, readAnswerSettings } from "./llm/settings.ts";
import {
  ADDRESS_RATE_PER_MINUTE,
  BODY_IDLE_MS,
  BODY_TIMEOUT_MS,
  KEEPALIVE_MS,
  LONG_POLL_MS,
  MAX_BODY_BYTES,
  RATE_PER_MINUTE,
} from "./protocol/limits.ts";
import { type QuotaSettings, readQuotaSettings } from "./quota/settings.ts";
import { count, list, readVariables } from "./protocol/variables.ts";

/** The Worker's variables, secrets and bindings, as wrangler.toml and .dev.vars give them. */
export interface Env {
  readonly ASSETS?: Fetcher;
  /** Counts the requests of a token's subject. */
  readonly RATE_LIMITER?: RateLimit;
  /** Counts the requests of an address, whether their tokens are good or not. */
  readonly ADDRESS_RATE_LIMITER?: RateLimit;
  readonly GENERATIONS: DurableObjectNamespace<GenerationObject>;
  readonly GENERATION_INDEX: DurableObjectNamespace<GenerationIndexObject>;
  readonly JOBS: DurableObjectNamespace<JobObject>;
  /** Counts exactly what each caller uses; without it, quotas are not kept. */
  readonly QUOTAS?: DurableObjectNamespace<QuotaObject>;
  readonly ROOMS: DurableObjectNamespace<RoomObject>;
  readonly ROOM_REPLICAS: DurableObjectNamespace<RoomReplicaObject>;
  readonly TICKETS: DurableObjectNamespace<TicketObject>;
  readonly TOPICS: DurableObjectNamespace<TopicObject>;
  readonly [variable: string]: unknown;
}

/** The operator's settings, checked and completed. */
export interface Config extends AnswerSettings {
  /** How callers prove who they are, and what they then may do. */
  readonly auth: AuthSettings;
  /** Origins of pages that may call besides our own; `any` by the operator's explicit wish. */
  readonly allowedOrigins: ReadonlySet<string> | "any";
  readonly maxBodyBytes: number;
  /** Milliseconds between two pieces of a body, and for all of it. */
  readonly bodyIdleMs: number;
  readonly bodyTimeoutMs: number;
  readonly quotas: QuotaSettings;
  /** What the bindings of rate limits are set to: told, and not enforced here. */
  readonly ratePerMinute: Readonly<Record<"subject" | "address", number>>;
  readonly keepaliveMs: number;
  readonly longPollMs: number;
  readonly generations: GenerationSettings;
  /** What the operator has set for rooms, by class. */
  readonly roomClasses: RoomClasses;
}

const variables = v.object({
  ALLOWED_ORIGINS: list,
  MAX_BODY_BYTES: count(MAX_BODY_BYTES),
  BODY_IDLE_MS: count(BODY_IDLE_MS),
  BODY_TIMEOUT_MS: count(BODY_TIMEOUT_MS),
  KEEPALIVE_MS: count(KEEPALIVE_MS),
  LONG_POLL_MS: count(LONG_POLL_MS),
  RATE_PER_MINUTE: count(RATE_PER_MINUTE),
  ADDRESS_RATE_PER_MINUTE: count(ADDRESS_RATE_PER_MINUTE),
});

/**
 * Reads the settings.
 *
 * @throws SluiceError `misconfigured`, naming the variable and never its value.
 */
export function readConfig(env: Readonly<Record<string, unknown>>): Config {
  const vars = readVariables(variables, env);
  const auth = readAuthSettings(env);
  // Read by the objects; what is wrong with it is said here, for they fail without being able to say why.
  readWebhookSettings(env);
  const roomClasses = readRoomClasses(env);
  return {
    ...readAnswerSettings(env),
    auth,
    allowedOrigins: vars.ALLOWED_ORIGINS.includes("*") ? "any" : new Set(vars.ALLOWED_ORIGINS),
    maxBodyBytes: vars.MAX_BODY_BYTES,
    bodyIdleMs: vars.BODY_IDLE_MS,
    bodyTimeoutMs: vars.BODY_TIMEOUT_MS,
    quotas: readQuotaSettings(env, auth.rules.kind !== "none"),
    ratePerMinute: { subject: vars.RATE_PER_MINUTE, address: vars.ADDRESS_RATE_PER_MINUTE },
    keepaliveMs: vars.KEEPALIVE_MS,
    longPollMs: vars.LONG_POLL_MS,
    generations: readGenerationSettings(env),
    roomClasses,
  };
}
