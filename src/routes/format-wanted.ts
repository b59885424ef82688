/** Owns which of its formats an answer is wanted in. Refuses to know what is answered. */
import { parseAccept } from "hono/utils/accept";
import { SluiceError } from "../protocol/errors.ts";
import type { AppContext } from "./app-env.ts";

/** What an answer can be asked for as; JSON is what everybody gets who asks for nothing. */
const TYPES = {
  sse: "text/event-stream",
  ndjson: "application/x-ndjson",
  binary: "application/octet-stream",
} as const;

/**
 * What the request wants of what is offered. `?format=` says it for clients that cannot set headers,
 * and counts more than what they accept; without either, it is a JSON document.
 *
 * @throws SluiceError `invalid_request` for a format that is not offered.
 */
export function formatWanted<F extends keyof typeof TYPES>(
  c: AppContext,
  offered: readonly F[],
): F | "json" {
  const format = c.req.query("format");
  if (format === undefined) return offered.find((one) => accepts(c, one)) ?? "json";
  const wanted = [...offered, "json" as const].find((one) => one === format);
  if (wanted !== undefined) return wanted;
  throw new SluiceError("invalid_request", {
    detail: `Expected ${offered.join(", ")} or json.`,
    param: "format",
  });
}

/** Whether the client names the format's type with any weight but zero; wildcards ask for nothing special. */
export function accepts(c: AppContext, format: keyof typeof TYPES): boolean {
  const wanted = parseAccept(c.req.header("accept") ?? "");
  return wanted.some((one) => one.type.toLowerCase() === TYPES[format] && one.q > 0);
}
