/** Owns whether a client takes gzip. Refuses to know what would be compressed. */
import type { AppContext } from "./app-env.ts";

/** As the client wrote it: the platform puts `br, gzip` into the header whatever the client accepts. */
export function acceptsGzip(c: AppContext): boolean {
  const written = c.req.raw.cf?.["clientAcceptEncoding"];
  const accepted = typeof written === "string" ? written : (c.req.header("accept-encoding") ?? "");
  return /\bgzip\b/.test(accepted);
}
