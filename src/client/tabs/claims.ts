/**
 * Owns which tokens mean the same to the server: those that differ only in when and how they were made.
 * Refuses to judge a token.
 */

/** Claims of a JWT that say nothing about whom it is for and what it allows. */
const OF_ITSELF = new Set(["exp", "iat", "nbf", "jti"]);

/** Text that is the same for tokens that mean the same. */
export function meaningOf(token: string | undefined): string {
  if (token === undefined) return "";
  try {
    const [, payload = ""] = token.split(".");
    const bytes = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
    const claims = Object.entries(JSON.parse(bytes) as Record<string, unknown>);
    return JSON.stringify(
      claims.filter(([name]) => !OF_ITSELF.has(name)).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
  } catch {
    return token;
  }
}
