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
import type { RoomObject } from "../durable-objects/room.ts";
import type { TicketObject } from "../durable-objects/ticket.ts";
import type { TopicObject } from "../durable-objects/topic.ts";
import { type AuthSettings, readAuthSettings } from "./auth/settings.ts";
import { type AnswerSettings, readAnswerSettings } from "./llm/settings.ts";
import { KEEPALIVE_MS, LONG_POLL_MS, MAX_BODY_BYTES } from "./protocol/limits.ts";
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
  readonly ROOMS: DurableObjectNamespace<RoomObject>;
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
  readonly keepaliveMs: number;
  readonly longPollMs: number;
  readonly generations: GenerationSettings;
}

const variables = v.object({
  ALLOWED_ORIGINS: list,
  MAX_BODY_BYTES: count(MAX_BODY_BYTES),
  KEEPALIVE_MS: count(KEEPALIVE_MS),
  LONG_POLL_MS: count(LONG_POLL_MS),
});

/**
 * Reads the settings.
 *
 * @throws SluiceError `misconfigured`, naming the variable and never its value.
 */
export function readConfig(env: Readonly<Record<string, unknown>>): Config {
  const vars = readVariables(variables, env);
  return {
    ...readAnswerSettings(env),
    auth: readAuthSettings(env),
    allowedOrigins: vars.ALLOWED_ORIGINS.includes("*") ? "any" : new Set(vars.ALLOWED_ORIGINS),
    maxBodyBytes: vars.MAX_BODY_BYTES,
    keepaliveMs: vars.KEEPALIVE_MS,
    longPollMs: vars.LONG_POLL_MS,
    generations: readGenerationSettings(env),
  };
}
