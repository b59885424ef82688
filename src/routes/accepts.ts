/** Owns whether a client asks for a type by name. Refuses to know what is answered. */
import { parseAccept } from "hono/utils/accept";
import type { AppContext } from "./app-env.ts";

/** Whether the client names the type with any weight but zero; wildcards ask for nothing special. */
export function accepts(c: AppContext, type: string): boolean {
  const wanted = parseAccept(c.req.header("accept") ?? "");
  return wanted.some((one) => one.type.toLowerCase() === type && one.q > 0);
}
