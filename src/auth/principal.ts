/**
 * Owns who a caller is. What a caller may do hangs on the principal made here.
 * Refuses to know about routes, and never says why a token was refused: that would help to forge one.
 */
import { decode, verify, verifyWithJwks } from "hono/jwt";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_SUBJECT_CHARS, MAX_TOKEN_CHARS } from "../protocol/limits.ts";
import type { PublicKey } from "./key-set.ts";
import { isLoopback } from "./loopback.ts";

/** Settings that tell which tokens count; `none` serves this machine only. */
export type TokenRules =
  | { readonly kind: "none" }
  | ({ readonly kind: "secret"; readonly secret: string } & RequiredClaims)
  | ({ readonly kind: "jwks"; readonly url: string } & RequiredClaims);

interface RequiredClaims {
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

/** A caller whose identity is established. */
export type Principal =
  | { readonly kind: "local" }
  | { readonly kind: "subject"; readonly subject: string };

const ASYMMETRIC = ["RS256", "ES256", "EdDSA"] as const;

/**
 * Refuses hosts that the configuration does not open: without token rules, all but loopback. The
 * `Host` header is looked at beside the URL, because Miniflare lets a header from outside
 * (`MF-Original-URL`) replace the URL, and a page whose name was rebound to this machine can send it.
 * (`wrangler dev` overwrites `Host` by the same header; there such a page is known by its `Origin`,
 * which browsers send with every request that costs anything.)
 *
 * @throws SluiceError `not_configured` with a sentence that says what to set.
 */
export function checkHost(url: URL, host: string | undefined, rules: TokenRules): void {
  if (rules.kind !== "none") return;
  const named = host === undefined ? url : URL.parse(`http://${host}`);
  if (isLoopback(url.hostname) && named !== null && isLoopback(named.hostname)) return;
  throw new SluiceError("not_configured", {
    detail:
      "Without a configuration only this machine is served (localhost). To serve others, set " +
      "AUTH_SECRET (`npx wrangler secret put AUTH_SECRET`) or AUTH_JWKS_URL.",
  });
}

/** Gives the keys of an issuer at this address, among which `kid` should be. */
type FindKeys = (url: string, kid: string) => Promise<PublicKey[]>;

/**
 * Establishes who sent a request with this `Authorization` header.
 *
 * @throws SluiceError `unauthorized` for a token that is missing, malformed, forged, expired, without
 *   `exp` or a `sub` of sensible length, or for somebody else; whatever `findKeys` throws.
 */
export async function identify(
  authorization: string | undefined,
  rules: TokenRules,
  findKeys: FindKeys,
): Promise<Principal> {
  if (rules.kind === "none") return { kind: "local" };
  const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? "")?.[1];
  if (token === undefined || token.length > MAX_TOKEN_CHARS) throw new SluiceError("unauthorized");
  const { exp, sub } = await readClaims(token, rules, findKeys);
  // The library checks `exp` only when it is there; a token that never expires is refused.
  if (typeof exp !== "number" || typeof sub !== "string" || sub === "") {
    throw new SluiceError("unauthorized", { detail: "The token needs `sub` and `exp`." });
  }
  if (sub.length > MAX_SUBJECT_CHARS) {
    throw new SluiceError("unauthorized", {
      detail: `A token's \`sub\` may have ${MAX_SUBJECT_CHARS} characters at most.`,
    });
  }
  return { kind: "subject", subject: sub };
}

/** What a token says, once it is known to be genuine and of this time. */
async function readClaims(
  token: string,
  rules: Exclude<TokenRules, { kind: "none" }>,
  findKeys: FindKeys,
): Promise<{ readonly exp?: unknown; readonly sub?: unknown }> {
  const verification = {
    ...(rules.issuer === undefined ? {} : { iss: rules.issuer }),
    ...(rules.audience === undefined ? {} : { aud: rules.audience }),
  };
  const keys = rules.kind === "jwks" ? await findKeys(rules.url, readKeyId(token)) : [];
  try {
    return rules.kind === "secret"
      ? await verify(token, rules.secret, { alg: "HS256", ...verification })
      : await verifyWithJwks(token, { keys, allowedAlgorithms: ASYMMETRIC, verification });
  } catch (error) {
    throw new SluiceError("unauthorized", { cause: error });
  }
}

/** Which key a token claims to be signed with. What names none is refused before keys are fetched. */
function readKeyId(token: string): string {
  try {
    const kid: unknown = decode(token).header.kid;
    if (typeof kid === "string") return kid;
  } catch {}
  throw new SluiceError("unauthorized");
}
