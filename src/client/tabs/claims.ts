/**
 * Owns which tokens mean the same to the server: those that differ only in when and how they were made.
 * Refuses to judge a token.
 */
import { claimsOf } from "../claims.ts";

/** Claims of a JWT that say nothing about whom it is for and what it allows. */
const OF_ITSELF = new Set(["exp", "iat", "nbf", "jti"]);

/** Text that is the same for tokens that mean the same. */
export function meaningOf(token: string | undefined): string {
  const claims = claimsOf(token ?? "");
  if (claims === undefined) return token ?? "";
  return JSON.stringify(
    Object.entries(claims)
      .filter(([name]) => !OF_ITSELF.has(name))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
