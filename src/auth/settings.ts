/**
 * Owns what the operator says about access: which tokens count, what those without a claim open, what
 * anybody may read. Refuses to know callers. A value is never repeated in an error: it may be a secret.
 */
import * as v from "valibot";
import type { Kind } from "../protocol/capabilities.ts";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_TOKEN_LIFETIME_S, MIN_AUTH_SECRET_CHARS } from "../protocol/limits.ts";
import { count, expecting, json, list, readVariables, text, url } from "../protocol/variables.ts";
import { type Access, NO_ACCESS, accessSchema } from "./claims.ts";
import type { PublicPattern } from "./grants.ts";
import { parseKeys, type PublicKey } from "./key-set.ts";
import { parsePattern } from "./pattern.ts";

/** Settings that tell which tokens count; `none` serves this machine only. */
export type TokenRules =
  | { readonly kind: "none" }
  | ({ readonly kind: "secret"; readonly secret: string } & RequiredClaims)
  | ({
      readonly kind: "jwks";
      readonly keys: PublicKey[] | { readonly url: string };
    } & RequiredClaims);

interface RequiredClaims {
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

/** The operator's settings for access. */
export interface AuthSettings {
  readonly rules: TokenRules;
  /** Seconds from now in which a token has to end. */
  readonly maxLifetimeS: number;
  /** What tokens without a claim of ours open. */
  readonly defaultAccess: Access;
  /** What anybody may read, without a token. */
  readonly anonymousRead: readonly PublicPattern[];
  /** What links to answers are signed with; undefined: there are none. */
  readonly linkSecret: string | undefined;
}

/** How to make a secret is said to who has one that is too short. */
const EXPECTED_SECRET = `a secret of ${MIN_AUTH_SECRET_CHARS} characters or more; \`openssl rand -hex 32\` makes one`;

const secret = v.pipe(
  text,
  v.optional(
    v.pipe(
      v.string(),
      expecting((value) => value.length >= MIN_AUTH_SECRET_CHARS, EXPECTED_SECRET),
    ),
  ),
);

const PUBLIC_KINDS: readonly Kind[] = ["rooms", "topics"];

const publicPattern = v.pipe(
  v.string(),
  v.rawTransform(({ dataset: { value }, addIssue, NEVER }) => {
    const slash = value.indexOf("/");
    const kind = PUBLIC_KINDS.find((one) => one === value.slice(0, slash));
    const pattern = parsePattern(value.slice(slash + 1));
    if (slash > 0 && kind !== undefined && pattern !== undefined) return { kind, pattern };
    addIssue({
      message: "not a kind and a pattern",
      expected: "rooms/<pattern> or topics/<pattern>",
    });
    return NEVER;
  }),
);

const variables = v.object({
  AUTH_SECRET: secret,
  AUTH_JWKS_URL: url,
  AUTH_JWKS: json(v.unknown()),
  AUTH_ISSUER: text,
  AUTH_AUDIENCE: text,
  MAX_TOKEN_LIFETIME_S: count(MAX_TOKEN_LIFETIME_S),
  DEFAULT_ACCESS: json(accessSchema),
  ANONYMOUS_READ: v.pipe(list, v.array(publicPattern)),
  LINK_SECRET: secret,
});

/**
 * Reads the settings.
 *
 * @throws SluiceError `misconfigured`, naming the variable and never its value.
 */
export function readAuthSettings(env: Readonly<Record<string, unknown>>): AuthSettings {
  // The names that stand in DEFAULT_ACCESS are no secrets; keys are looked at below.
  const vars = readVariables(variables, env, { names: true });
  return {
    rules: readRules(vars),
    maxLifetimeS: vars.MAX_TOKEN_LIFETIME_S,
    defaultAccess: vars.DEFAULT_ACCESS ?? NO_ACCESS,
    anonymousRead: vars.ANONYMOUS_READ,
    linkSecret: vars.LINK_SECRET ?? vars.AUTH_SECRET,
  };
}

type Vars = v.InferOutput<typeof variables>;

function readRules(vars: Vars): TokenRules {
  const { AUTH_SECRET, AUTH_JWKS_URL, AUTH_JWKS } = vars;
  const given = [AUTH_SECRET, AUTH_JWKS_URL, AUTH_JWKS].filter((value) => value !== undefined);
  if (given.length > 1) {
    throw misconfigured("Set one of AUTH_SECRET, AUTH_JWKS_URL and AUTH_JWKS, not several.");
  }
  const claims = { issuer: vars.AUTH_ISSUER, audience: vars.AUTH_AUDIENCE };
  if (AUTH_SECRET !== undefined) return { kind: "secret", secret: AUTH_SECRET, ...claims };
  if (AUTH_JWKS_URL !== undefined) return { kind: "jwks", keys: { url: AUTH_JWKS_URL }, ...claims };
  if (AUTH_JWKS === undefined) return { kind: "none" };
  const keys = parseKeys(AUTH_JWKS) ?? [];
  // Whoever writes a private key here shows it to everybody who reads this configuration.
  if (keys.length === 0 || keys.some((key) => key.kty === "oct" || key.d !== undefined)) {
    throw misconfigured("The variable AUTH_JWKS is not a set of public keys, each with a `kid`.");
  }
  return { kind: "jwks", keys, ...claims };
}

function misconfigured(detail: string): SluiceError {
  return new SluiceError("misconfigured", { detail });
}
