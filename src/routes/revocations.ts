/**
 * Owns revoking tokens at one room or topic: who is there with one goes, who comes with one is refused.
 * Refuses to know how it is remembered.
 */
import * as v from "valibot";
import { type Outcome, unwrap } from "../../durable-objects/platform/outcome.ts";
import type { Bearing, Revoked } from "../../durable-objects/platform/revocations.ts";
import { SluiceError } from "../protocol/errors.ts";
import { CLOCK_SKEW_S, MAX_SUBJECT_CHARS, MAX_TOKEN_ID_CHARS } from "../protocol/limits.ts";
import type { AppContext } from "./app-env.ts";
import { readJson } from "./read-json.ts";

const textUpTo = (chars: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(chars));

const revocationSchema = v.union([
  v.strictObject({ sub: textUpTo(MAX_SUBJECT_CHARS) }),
  v.strictObject({ jti: textUpTo(MAX_TOKEN_ID_CHARS) }),
]);

/** An object that remembers revocations. */
interface Revoking {
  readonly checkBearing: (bearing: Bearing) => Promise<Outcome<null>>;
  readonly revoke: (revoked: Revoked, lifetimeS: number) => Promise<Outcome<number>>;
}

/**
 * The object, for a caller whose token counts there. What opens a socket or writes is looked at by the
 * object itself.
 *
 * @throws SluiceError `token_revoked`.
 */
export async function unrevoked<Stub extends Pick<Revoking, "checkBearing">>(
  c: AppContext,
  stub: Stub,
): Promise<Stub> {
  if (c.var.principal.kind === "subject") unwrap(await stub.checkBearing(bearingOf(c)));
  return stub;
}

/** Revokes what the request's body names, for as long as a token can last. */
export async function revoke(c: AppContext, stub: Revoking): Promise<Response> {
  const parsed = v.safeParse(revocationSchema, await readJson(c));
  if (!parsed.success) {
    throw new SluiceError("invalid_request", { detail: "Expected {sub} or {jti}." });
  }
  const named = parsed.output;
  const revoked: Revoked = "sub" in named ? { subject: named.sub } : { tokenId: named.jti };
  await unrevoked(c, stub);
  // A token of an issuer whose clock is ahead ends as much later.
  const lifetimeS = c.var.config.auth.maxLifetimeS + CLOCK_SKEW_S;
  const closed = unwrap(await stub.revoke(revoked, lifetimeS));
  return c.json({ closed, forgottenIn: lifetimeS }, 201);
}

/** Whose token a request came with, for an object that may know better. */
export function bearingOf({ var: { principal } }: AppContext): Bearing {
  if (principal.kind !== "subject") return {};
  const { subject, tokenId, issuedAt } = principal;
  return { subject, tokenId, issuedAt };
}
