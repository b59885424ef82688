/**
 * Owns what an HTTP answer that is not the one hoped for means for a client. Refuses to act on it.
 */
import { ClientError } from "../errors.ts";
import { textOf } from "../text.ts";
import type { Failure } from "../transport.ts";

/** The server's code when a token counted until now. */
export const TOKEN_EXPIRED = "token_expired";

/** There is no answer, or no more of it. */
export const UNREACHABLE: Failure = {
  code: "network",
  message: "The server is not reached.",
  reconnect: "backoff",
};

/** There is a connection, for all that is known, and nothing comes. */
export const SILENT: Failure = {
  code: "silent",
  message: "The server is silent.",
  reconnect: "backoff",
};

/** The token counts no more; another one may. */
export const EXPIRED: Failure = {
  code: TOKEN_EXPIRED,
  message: "The token has expired.",
  reconnect: "refresh",
};

/** Statuses below 500 after which the same request may succeed later. */
const PASSING = [408, 425, 429];

/** What a server's answer says is wrong. Reads its body. */
export async function failureOf(response: Response): Promise<Failure> {
  const { status, headers } = response;
  const problem: unknown = await response.json().catch(() => undefined);
  const { code, detail } = (problem ?? {}) as Partial<Record<"code" | "detail", unknown>>;
  return {
    code: textOf(code) ?? `http_${status}`,
    message: textOf(detail) ?? `The answer is ${status}.`,
    reconnect: reconnectOf(status, headers.get("x-should-retry")),
    // Seconds; the server writes no dates.
    retryAfterMs: Number(headers.get("retry-after")) * 1000 || undefined,
    status,
  };
}

/** What is wrong when there is no answer, or no more of it. */
export function failureOfThrown(thrown: unknown): Failure {
  if (!(thrown instanceof ClientError)) return UNREACHABLE;
  const { code, message } = thrown;
  return { code, message, reconnect: code.startsWith("bad_") ? "no" : "backoff" };
}

function reconnectOf(status: number, shouldRetry: string | null): Failure["reconnect"] {
  if (status === 401) return "refresh";
  const isPassing = status >= 500 || PASSING.includes(status);
  return isPassing && shouldRetry !== "false" ? "backoff" : "no";
}
