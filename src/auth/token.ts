/**
 * Owns what makes a token count: its signature, its time, who made it and for whom. Refuses to know how
 * it came here, and never says why a token that is not genuine was refused: that would help to forge one.
 */
import { decode, verify, verifyWithJwks } from "hono/jwt";
import * as v from "valibot";
import { SluiceError } from "../protocol/errors.ts";
import {
  CLOCK_SKEW_S,
  MAX_SUBJECT_CHARS,
  MAX_TOKEN_CHARS,
  MAX_TOKEN_ID_CHARS,
} from "../protocol/limits.ts";
import { parseAccess } from "./claims.ts";
import type { PublicKey } from "./key-set.ts";
import type { Bearer } from "./principal.ts";
import type { AuthSettings, TokenRules } from "./settings.ts";

/** What is needed to look at a token. */
export interface TokenContext {
  readonly settings: AuthSettings;
  /** Seconds since 1970. */
  readonly now: number;
  /** Gives the keys of an issuer at this address, among which `kid` should be. */
  readonly findKeys: (url: string, kid: string) => Promise<PublicKey[]>;
}

const ASYMMETRIC = ["RS256", "ES256", "EdDSA"] as const;

const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));

const claimsSchema = v.object({
  sub: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_SUBJECT_CHARS)),
  exp: seconds,
  nbf: v.optional(seconds),
  iat: seconds,
  jti: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_TOKEN_ID_CHARS))),
  sluice: v.optional(v.unknown()),
});

/**
 * Whose a token is and what it opens.
 *
 * @throws SluiceError `unauthorized` for one that is malformed, forged, for somebody else, of another
 *   time or not understood; `token_expired` for one that did count; whatever `findKeys` throws.
 */
export async function readToken(token: string, context: TokenContext): Promise<Bearer> {
  const { settings, now } = context;
  const { rules } = settings;
  if (rules.kind === "none" || token.length > MAX_TOKEN_CHARS) throw refusal();
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw refusal();
  const payload = await readGenuine(token, rules, context.findKeys);
  // Whoever made the token may know what is wrong with it.
  const claims = v.safeParse(claimsSchema, payload);
  if (!claims.success) {
    throw refusal(
      `The token needs \`exp\`, \`iat\` and a \`sub\` of up to ${MAX_SUBJECT_CHARS} characters; ` +
        `\`jti\` and \`nbf\` have to be what they are.`,
    );
  }
  const { sub, exp, nbf, iat, jti, sluice } = claims.output;
  // To the second: forgiving here would only make every token longer.
  if (exp <= now) throw new SluiceError("token_expired");
  if (Math.max(nbf ?? 0, iat) > now + CLOCK_SKEW_S) {
    throw refusal("The token is not valid yet.");
  }
  // From when it was made, which is why it has to say that: else a longer one would count in its last
  // days, when a revocation made before them is forgotten.
  if (exp - iat > settings.maxLifetimeS) {
    throw refusal(`A token may last ${settings.maxLifetimeS} s at most.`);
  }
  const access = sluice === undefined ? settings.defaultAccess : parseAccess(sluice);
  if (access === undefined) throw refusal("The token's claim `sluice` is not valid.");
  return {
    kind: "subject",
    subject: sub,
    tokenId: jti,
    issuedAt: iat,
    expiresAt: exp,
    claim: sluice,
    access,
  };
}

/** What a token says, once it is known to be genuine. Its times are looked at by our own clock. */
async function readGenuine(
  token: string,
  rules: Exclude<TokenRules, { kind: "none" }>,
  findKeys: TokenContext["findKeys"],
): Promise<unknown> {
  const verification = {
    exp: false,
    nbf: false,
    iat: false,
    ...(rules.issuer === undefined ? {} : { iss: rules.issuer }),
    ...(rules.audience === undefined ? {} : { aud: rules.audience }),
  };
  try {
    if (rules.kind === "secret") {
      return await verify(token, rules.secret, { alg: "HS256", ...verification });
    }
    const kid = readKeyId(token);
    const keys = Array.isArray(rules.keys) ? rules.keys : await findKeys(rules.keys.url, kid);
    return await verifyWithJwks(token, { keys, allowedAlgorithms: ASYMMETRIC, verification });
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError("unauthorized", { cause: error });
  }
}

/** Which key a token claims to be signed with. What names none is refused before keys are fetched. */
function readKeyId(token: string): string {
  const kid: unknown = decode(token).header.kid;
  if (typeof kid === "string") return kid;
  throw refusal();
}

function refusal(detail?: string): SluiceError {
  return new SluiceError("unauthorized", detail === undefined ? {} : { detail });
}
