/**
 * Owns requests that are answered at once: their token, their repetition, their errors. Refuses to know
 * what is asked.
 */
import { backoff } from "../connection/backoff.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import type { Failure } from "../transport.ts";
import { failureOf, failureOfThrown } from "./failure.ts";

/** What is asked. */
export interface Call {
  /** From `/v1` on. */
  readonly path: string;
  readonly method?: "GET" | "POST" | "DELETE";
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** Attempts at it. Default 6. */
  readonly attempts?: number;
}

/** Attempts at a request that may be repeated without harm. */
const MAX_ATTEMPTS = 6;

/** Milliseconds until an attempt's answer is read: a connection may be dead without anybody saying so. */
const ATTEMPT_MS = 30_000;

const SILENT: Failure = {
  code: "silent",
  message: "Nothing was heard in time.",
  reconnect: "backoff",
};

/** Headers of a request that shows this token. */
export function withToken(
  token: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return token === undefined ? { ...headers } : { ...headers, authorization: `Bearer ${token}` };
}

/**
 * Asks for JSON, again and again while the network or the server is in trouble: only for what may be
 * repeated.
 *
 * @throws ClientError what the server has against it, or the last trouble.
 */
export async function call(
  context: Context,
  { path, method, body, signal, attempts = MAX_ATTEMPTS }: Call,
): Promise<unknown> {
  let token = await context.tokens.get();
  for (let attempt = 0; ; attempt += 1) {
    let failure: Failure;
    let status: number | undefined;
    const late = new AbortController();
    const callOffDeadline = context.clock.after(ATTEMPT_MS, () => {
      late.abort();
    });
    try {
      const response = await context.fetch(`${context.url}${path}`, {
        method: method ?? "GET",
        headers: withToken(token, body === undefined ? {} : { "content-type": "application/json" }),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
      });
      if (response.ok) return await response.json();
      status = response.status;
      failure = await failureOf(response);
    } catch (thrown) {
      if (signal?.aborted === true) throw new ClientError("closed", "It was called off.");
      failure = late.signal.aborted ? SILENT : failureOfThrown(thrown);
    } finally {
      callOffDeadline();
    }
    const isLast = attempt + 1 >= attempts || failure.reconnect === "no";
    // A new token is tried once; more would not be better.
    if (isLast || (failure.reconnect === "refresh" && attempt > 0)) {
      throw new ClientError(failure.code, failure.message, { status });
    }
    if (failure.reconnect === "refresh") token = await context.tokens.get(token);
    else
      await pause(context, backoff(attempt, failure.retryAfterMs ?? 0, context.random()), signal);
  }
}

function pause({ clock }: Context, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      callOff();
      reject(new ClientError("closed", "It was called off."));
    };
    const callOff = clock.after(ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
