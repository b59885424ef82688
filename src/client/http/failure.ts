/**
 * Owns what an HTTP answer that is not the one hoped for means for a client. Refuses to act on it.
 */
import { ClientError } from "../errors.ts";
import type { Failure } from "../transport.ts";

/** The server's code when a token counted until now. */
export const TOKEN_EXPIRED = "token_expired";

/** Statuses below 500 after which the same request may succeed later. */
const PASSING = new Set([408, 425, 429]);

/** What a server's answer says is wrong. Reads its body. */
export async function failureOf(response: Response): Promise<Failure> {
  const { status, headers } = response;
  const problem = await readProblem(response);
  return {
    code: problem.code ?? `http_${status}`,
    message: problem.detail ?? `The server answered with status ${status}.`,
    reconnect: reconnectOf(status, headers.get("x-should-retry")),
    retryAfterMs: parseRetryAfter(headers.get("retry-after")),
  };
}

/** What is wrong when there is no answer, or no more of it. */
export function failureOfThrown(thrown: unknown): Failure {
  if (thrown instanceof ClientError) {
    const { code, message } = thrown;
    if (code === TOKEN_EXPIRED) return { code, message, reconnect: "refresh" };
    return { code, message, reconnect: code === "bad_answer" ? "no" : "backoff" };
  }
  return { code: "network", message: "The server could not be reached.", reconnect: "backoff" };
}

function reconnectOf(status: number, shouldRetry: string | null): Failure["reconnect"] {
  if (status === 401) return "refresh";
  if (status < 500 && !PASSING.has(status)) return "no";
  return shouldRetry === "false" ? "no" : "backoff";
}

/** Milliseconds, of a number of seconds; the server writes no dates. */
function parseRetryAfter(text: string | null): number | undefined {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}

async function readProblem(
  response: Response,
): Promise<{ readonly code?: string; readonly detail?: string }> {
  try {
    const body = (await response.json()) as { readonly code?: unknown; readonly detail?: unknown };
    return {
      ...(typeof body.code === "string" ? { code: body.code } : {}),
      ...(typeof body.detail === "string" ? { detail: body.detail } : {}),
    };
  } catch {
    return {};
  }
}
