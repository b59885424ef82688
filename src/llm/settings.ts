/**
 * Owns what the operator may set for answers: providers, models, limits. Read by the Worker and by the
 * objects that answer, each from its own environment. Refuses to know what is done with it.
 */
import * as v from "valibot";
import {
  FIRST_TOKEN_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  MAX_OUTPUT_BYTES,
  TOTAL_TIMEOUT_MS,
} from "../protocol/limits.ts";
import {
  address,
  count,
  fields,
  json,
  list,
  positive,
  readVariables,
  text,
  url,
} from "../protocol/variables.ts";
import type { AnswerLimits } from "./attempt.ts";
import type { RequestPolicy } from "./request.ts";
import type { UpstreamConfig } from "./upstream.ts";

/** The operator's settings for answers, checked and completed. */
export interface AnswerSettings extends RequestPolicy {
  readonly models: ReadonlySet<string> | "any";
  /** In the order in which they are tried; none means the demo. */
  readonly upstreams: readonly UpstreamConfig[];
  readonly answer: AnswerLimits;
}

const fallbackSchema = v.array(
  fields({
    baseURL: address,
    apiKey: v.optional(v.string()),
    model: v.optional(v.string()),
  }),
);

const variables = v.object({
  OPENAI_API_KEY: text,
  OPENAI_BASE_URL: url,
  OPENAI_MODEL: v.pipe(
    text,
    v.transform((value) => value ?? "gpt-5-mini"),
  ),
  ALLOWED_MODELS: list,
  LLM_FALLBACKS: json(fallbackSchema),
  MAX_TOKENS: v.pipe(
    text,
    v.transform((value) => (value === undefined ? undefined : Number(value))),
    v.optional(positive),
  ),
  MAX_OUTPUT_BYTES: count(MAX_OUTPUT_BYTES),
  FIRST_TOKEN_TIMEOUT_MS: count(FIRST_TOKEN_TIMEOUT_MS),
  IDLE_TIMEOUT_MS: count(IDLE_TIMEOUT_MS),
  TOTAL_TIMEOUT_MS: count(TOTAL_TIMEOUT_MS),
});

type Variables = v.InferOutput<typeof variables>;

/**
 * Reads the settings.
 *
 * @throws SluiceError `misconfigured`, naming the variable and never its value.
 */
export function readAnswerSettings(env: Readonly<Record<string, unknown>>): AnswerSettings {
  const vars = readVariables(variables, env);
  return {
    upstreams: readUpstreams(vars),
    defaultModel: vars.OPENAI_MODEL,
    models: readModels(vars),
    maxTokens: vars.MAX_TOKENS,
    answer: {
      firstTokenMs: vars.FIRST_TOKEN_TIMEOUT_MS,
      idleMs: vars.IDLE_TIMEOUT_MS,
      totalMs: vars.TOTAL_TIMEOUT_MS,
      maxOutputBytes: vars.MAX_OUTPUT_BYTES,
    },
  };
}

/** A key, a base URL or a fallback means a real provider; none of them means the demo. */
function readUpstreams(vars: Variables): readonly UpstreamConfig[] {
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseURL } = vars;
  const hasPrimary = apiKey !== undefined || baseURL !== undefined;
  return [
    ...(hasPrimary ? [{ apiKey, baseURL, model: undefined }] : []),
    ...(vars.LLM_FALLBACKS ?? []).map(({ apiKey, baseURL, model }) => ({ apiKey, baseURL, model })),
  ];
}

/** The demo spends nobody's money, so it takes any model's name; a real provider only what is listed. */
function readModels(vars: Variables): ReadonlySet<string> | "any" {
  if (readUpstreams(vars).length === 0 || vars.ALLOWED_MODELS.includes("*")) return "any";
  return new Set([...vars.ALLOWED_MODELS, vars.OPENAI_MODEL]);
}
