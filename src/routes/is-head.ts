/** Owns telling HEAD from GET, which the router does not. Refuses to know what is answered. */
import type { AppContext } from "./app-env.ts";

/** Whether only headers are asked for: a stream would be opened for nobody, and nobody would close it. */
export function isHead(c: AppContext): boolean {
  return c.req.raw.method === "HEAD";
}
