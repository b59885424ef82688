/** Owns what can be read of a token without its key. Refuses to believe it. */

/** What a JWT says of itself; undefined for what is none. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const [, payload = ""] = token.split(".");
    const claims: unknown = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
    return claims instanceof Object ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
