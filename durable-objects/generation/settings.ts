/**
 * Owns what the operator may set for generations: how long they are kept, what becomes of one that nobody watches. Refuses to know what is done with it.
 */
import * as v from "valibot";
import { type AnswerSettings, readAnswerSettings } from "../../src/llm/settings.ts";
import { GENERATION_FLUSH_MS, GENERATION_TTL_S, MAX_GRACE_S } from "../../src/protocol/limits.ts";
import { count, expecting, list, readVariables, text } from "../../src/protocol/variables.ts";
import { type PolicyKind, parseWhenAbandoned, type WhenAbandoned } from "./when-abandoned.ts";

/** The operator's settings for generations, checked and completed. */
export interface GenerationSettings {
  /** Milliseconds that tokens wait for a row at most. */
  readonly flushMs: number;
  /** Milliseconds that a finished answer is kept. */
  readonly ttlMs: number;
  readonly whenAbandoned: {
    /** For `POST /v1/chat/completions` with `store`. */
    readonly store: WhenAbandoned;
    /** For `/api/chat`. */
    readonly chat: WhenAbandoned;
    /** What a request may ask for. */
    readonly allowed: ReadonlySet<string>;
    /** Seconds of grace that a request may ask for. */
    readonly maxGraceS: number;
  };
}

const policy = (fallback: string) =>
  v.pipe(
    text,
    v.transform((value) => parseWhenAbandoned(value ?? fallback)),
    expecting((value) => value !== undefined, "continue, cancel or grace=<seconds>"),
    v.transform((value): WhenAbandoned => value ?? { kind: "continue" }),
  );

const EVERY_POLICY: readonly PolicyKind[] = ["continue", "cancel", "grace"];

const variables = v.object({
  GENERATION_FLUSH_MS: count(GENERATION_FLUSH_MS),
  GENERATION_TTL_S: count(GENERATION_TTL_S),
  STORE_WHEN_ABANDONED: policy("continue"),
  CHAT_WHEN_ABANDONED: policy("grace=60"),
  ALLOWED_WHEN_ABANDONED: v.pipe(list, v.array(v.picklist(EVERY_POLICY))),
  MAX_GRACE_S: count(MAX_GRACE_S),
});

/**
 * Reads the settings.
 *
 * @throws SluiceError `misconfigured`, naming the variable and never its value.
 */
export function readGenerationSettings(env: Readonly<Record<string, unknown>>): GenerationSettings {
  const vars = readVariables(variables, env);
  const allowed = vars.ALLOWED_WHEN_ABANDONED;
  return {
    flushMs: vars.GENERATION_FLUSH_MS,
    ttlMs: vars.GENERATION_TTL_S * 1000,
    whenAbandoned: {
      store: vars.STORE_WHEN_ABANDONED,
      chat: vars.CHAT_WHEN_ABANDONED,
      allowed: new Set(allowed.length === 0 ? EVERY_POLICY : allowed),
      maxGraceS: vars.MAX_GRACE_S,
    },
  };
}

/** For an answer whose object does not know its own: it is kept. */
export const SETTINGS_MEANWHILE = {
  flushMs: GENERATION_FLUSH_MS,
  ttlMs: Number.POSITIVE_INFINITY,
} as const;

interface Settings extends AnswerSettings {
  readonly generations: GenerationSettings;
}

type Environment = Readonly<Record<string, unknown>>;

/** Objects of one deployment share their environment, and with its settings the providers' clients. */
const known = new WeakMap<Environment, Settings>();

/** Everything that an answer of an object needs, read once. */
export function settingsOf(env: Environment): Settings {
  let settings = known.get(env);
  if (settings === undefined) {
    settings = { ...readAnswerSettings(env), generations: readGenerationSettings(env) };
    known.set(env, settings);
  }
  return settings;
}
