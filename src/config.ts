/**
 * Owns the reading of variables and bindings: everything the operator may set is parsed here, once.
 * Refuses to know what the settings are used for. A value is never repeated in an error: it may be a secret.
 */
import * as v from "valibot";
import type { RoomObject } from "../durable-objects/room.ts";
import type { TokenRules } from "./auth/principal.ts";
import type { UpstreamConfig } from "./llm/upstream.ts";
import { SluiceError } from "./protocol/errors.ts";
import {
  FIRST_TOKEN_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  KEEPALIVE_MS,
  MAX_BODY_BYTES,
  MAX_OUTPUT_BYTES,
  MIN_AUTH_SECRET_CHARS,
  TOTAL_TIMEOUT_MS,
} from "./protocol/limits.ts";

/** The Worker's variables, secrets and bindings, as wrangler.toml and .dev.vars give them. */
export interface Env {
  readonly ASSETS?: Fetcher;
  /** Counts the requests of a token's subject. */
  readonly RATE_LIMITER?: RateLimit;
  /** Counts the requests of an address, whether their tokens are good or not. */
  readonly ADDRESS_RATE_LIMITER?: RateLimit;
  readonly ROOMS: DurableObjectNamespace<RoomObject>;
  readonly [variable: string]: unknown;
}

/** The operator's settings, checked and completed. */
export interface Config {
  /** How callers prove who they are; `none` means that only this machine is served. */
  readonly auth: TokenRules;
  /** Origins of pages that may call besides our own; `any` by the operator's explicit wish. */
  readonly allowedOrigins: ReadonlySet<string> | "any";
  /** In the order in which they are tried; none means the demo. */
  readonly upstreams: readonly UpstreamConfig[];
  readonly defaultModel: string;
  readonly models: ReadonlySet<string> | "any";
  readonly maxTokens: number | undefined;
  readonly maxBodyBytes: number;
  readonly keepaliveMs: number;
  readonly answer: {
    readonly firstTokenMs: number;
    readonly idleMs: number;
    readonly totalMs: number;
    readonly maxOutputBytes: number;
  };
}

/** An unset variable and one set to nothing are the same: that is how people switch one off. */
const text = v.pipe(
  v.optional(v.string(), ""),
  v.transform((value) => (value.trim() === "" ? undefined : value.trim())),
);
const url = v.pipe(text, v.optional(v.pipe(v.string(), v.url(), v.regex(/^https?:\/\//))));
const list = v.pipe(
  text,
  v.transform((value) =>
    (value ?? "")
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  ),
);
const count = (fallback: number) =>
  v.pipe(
    text,
    v.transform((value) => (value === undefined ? fallback : Number(value))),
    v.number(),
    v.integer(),
    v.minValue(1),
  );

const fallbackSchema = v.array(
  v.strictObject({
    baseURL: v.pipe(v.string(), v.url(), v.regex(/^https?:\/\//)),
    apiKey: v.optional(v.string()),
    model: v.optional(v.string()),
  }),
);

const envSchema = v.object({
  AUTH_SECRET: v.pipe(text, v.optional(v.pipe(v.string(), v.minLength(MIN_AUTH_SECRET_CHARS)))),
  AUTH_JWKS_URL: url,
  AUTH_ISSUER: text,
  AUTH_AUDIENCE: text,
  ALLOWED_ORIGINS: list,
  OPENAI_API_KEY: text,
  OPENAI_BASE_URL: url,
  OPENAI_MODEL: v.pipe(
    text,
    v.transform((value) => value ?? "gpt-5-mini"),
  ),
  ALLOWED_MODELS: list,
  LLM_FALLBACKS: v.pipe(
    text,
    v.transform((value) => value ?? "[]"),
    v.parseJson(),
    fallbackSchema,
  ),
  MAX_TOKENS: v.pipe(
    text,
    v.transform((value) => (value === undefined ? undefined : Number(value))),
    v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  ),
  MAX_BODY_BYTES: count(MAX_BODY_BYTES),
  MAX_OUTPUT_BYTES: count(MAX_OUTPUT_BYTES),
  KEEPALIVE_MS: count(KEEPALIVE_MS),
  FIRST_TOKEN_TIMEOUT_MS: count(FIRST_TOKEN_TIMEOUT_MS),
  IDLE_TIMEOUT_MS: count(IDLE_TIMEOUT_MS),
  TOTAL_TIMEOUT_MS: count(TOTAL_TIMEOUT_MS),
});

/**
 * Reads the settings.
 *
 * @throws SluiceError `misconfigured`, naming the variable and never its value.
 */
export function readConfig(env: Readonly<Record<string, unknown>>): Config {
  const result = v.safeParse(envSchema, env);
  if (!result.success) {
    const [issue] = result.issues;
    throw new SluiceError("misconfigured", {
      detail: `The variable ${describePath(issue)} is not valid: expected ${issue.expected ?? "another value"}.`,
    });
  }
  const vars = result.output;
  return {
    auth: readAuth(vars),
    allowedOrigins: readSet(vars.ALLOWED_ORIGINS),
    upstreams: readUpstreams(vars),
    defaultModel: vars.OPENAI_MODEL,
    models: readModels(vars),
    maxTokens: vars.MAX_TOKENS,
    maxBodyBytes: vars.MAX_BODY_BYTES,
    keepaliveMs: vars.KEEPALIVE_MS,
    answer: {
      firstTokenMs: vars.FIRST_TOKEN_TIMEOUT_MS,
      idleMs: vars.IDLE_TIMEOUT_MS,
      totalMs: vars.TOTAL_TIMEOUT_MS,
      maxOutputBytes: vars.MAX_OUTPUT_BYTES,
    },
  };
}

/** Where the mistake is. The name of a field that should not be there is the operator's text: left out. */
function describePath({ path, type }: v.BaseIssue<unknown>): string {
  const keys = path?.map((item) => String(item.key)) ?? [];
  return (type === "strict_object" ? keys.slice(0, -1) : keys).join(".");
}

type Vars = v.InferOutput<typeof envSchema>;

function readAuth(vars: Vars): TokenRules {
  const claims = { issuer: vars.AUTH_ISSUER, audience: vars.AUTH_AUDIENCE };
  if (vars.AUTH_SECRET !== undefined && vars.AUTH_JWKS_URL !== undefined) {
    throw new SluiceError("misconfigured", {
      detail: "Set AUTH_SECRET or AUTH_JWKS_URL, not both.",
    });
  }
  if (vars.AUTH_SECRET !== undefined)
    return { kind: "secret", secret: vars.AUTH_SECRET, ...claims };
  if (vars.AUTH_JWKS_URL !== undefined) return { kind: "jwks", url: vars.AUTH_JWKS_URL, ...claims };
  return { kind: "none" };
}

/** A key, a base URL or a fallback means a real provider; none of them means the demo. */
function readUpstreams(vars: Vars): readonly UpstreamConfig[] {
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseURL } = vars;
  const hasPrimary = apiKey !== undefined || baseURL !== undefined;
  return [
    ...(hasPrimary ? [{ apiKey, baseURL, model: undefined }] : []),
    ...vars.LLM_FALLBACKS.map(({ apiKey, baseURL, model }) => ({ apiKey, baseURL, model })),
  ];
}

/** The demo spends nobody's money, so it takes any model's name; a real provider only what is listed. */
function readModels(vars: Vars): ReadonlySet<string> | "any" {
  if (readUpstreams(vars).length === 0) return "any";
  if (vars.ALLOWED_MODELS.length === 0) return new Set([vars.OPENAI_MODEL]);
  const models = readSet(vars.ALLOWED_MODELS);
  return models === "any" ? models : new Set([...models, vars.OPENAI_MODEL]);
}

function readSet(values: readonly string[]): ReadonlySet<string> | "any" {
  return values.includes("*") ? "any" : new Set(values);
}
