/** Owns whether a client takes gzip. Refuses to know what would be compressed. */
import type { AppContext } from "./app-env.ts";

/** `gzip` with any weight but zero (RFC 9110 §12.5.3). */
const GZIP = /(?:^|,)\s*gzip\s*(?:;\s*q=(?:1(?:\.0*)?|0?\.\d*[1-9]\d*)\s*)?(?:,|$)/i;

/** What the client wrote counts: the platform puts `br, gzip` into the header whatever it accepts. */
export function acceptsGzip(c: AppContext): boolean {
  const written = c.req.raw.cf?.["clientAcceptEncoding"];
  return GZIP.test(typeof written === "string" ? written : (c.req.header("accept-encoding") ?? ""));
}
