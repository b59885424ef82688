/**
 * Owns requests that are answered at once: their token, their repetition, their errors. Refuses to know
 * what is asked.
 */
import { given } from "../../protocol/given.ts";
import { backoff } from "../connection/backoff.ts";
import { type Timer, timerOf } from "../connection/timer.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import type { Failure } from "../transport.ts";
import { failureOf, failureOfThrown, SILENT } from "./failure.ts";

/** What is asked. */
export interface Asked {
  /** From `/v1` on. */
  readonly path: string;
  /** Left out: POST with a body and GET without. */
  readonly method?: "GET" | "POST" | "DELETE";
  /** What is undefined is left out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** What is asked, and how hard. */
export interface Call extends Asked {
  readonly signal?: AbortSignal | undefined;
  /** Attempts at it. Default 6. */
  readonly attempts?: number;
}

/** Attempts at a request that may be repeated without harm. */
const MAX_ATTEMPTS = 6;

/** Milliseconds until an attempt's answer is read: a connection may be dead without anybody saying so. */
const ATTEMPT_MS = 30_000;

/**
 * One request, answered or not. @throws what `fetch` throws, where there is no answer.
 */
export async function ask(
  { url, fetch }: Context,
  token: string | undefined,
  { path, body, method = body === undefined ? "GET" : "POST", headers }: Asked,
  signal?: AbortSignal,
): Promise<Response> {
  const all = {
    "content-type": body === undefined ? undefined : "application/json",
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    ...headers,
  };
  return await fetch(`${url}${path}`, {
    method,
    headers: Object.fromEntries(given(all)),
    // What is undefined is so as JSON, too.
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
}

/**
 * Asks for JSON, again and again while the network or the server is in trouble: only for what may be
 * repeated.
 *
 * @throws ClientError what the server has against it, or the last trouble.
 */
export async function call(
  context: Context,
  { signal, attempts = MAX_ATTEMPTS, ...asked }: Call,
): Promise<unknown> {
  const { tokens, clock, random } = context;
  const setTimer = timerOf(clock);
  let refused: string | undefined;
  for (let attempt = 0; ; attempt += 1) {
    const token = await tokens.get(refused);
    let failure: Failure;
    const late = new AbortController();
    setTimer(ATTEMPT_MS, () => {
      late.abort();
    });
    try {
      signal?.throwIfAborted();
      const signals = signal === undefined ? [late.signal] : [signal, late.signal];
      const response = await ask(context, token, asked, AbortSignal.any(signals));
      if (response.ok) return await response.json();
      failure = await failureOf(response);
    } catch (thrown) {
      if (signal?.aborted === true) throw new ClientError("closed", "The application closed it.");
      failure = late.signal.aborted ? SILENT : failureOfThrown(thrown);
    } finally {
      setTimer();
    }
    const { code, message, reconnect, retryAfterMs = 0 } = failure;
    // A new token is tried once; more would not be better.
    const isRefused = reconnect === "refresh";
    if (attempt + 1 >= attempts || reconnect === "no" || (isRefused && refused !== undefined)) {
      throw new ClientError(code, message, failure);
    }
    if (isRefused) refused = token ?? "";
    else await pause(setTimer, backoff(attempt, retryAfterMs, random()), signal);
  }
}

/** Waits so long, or until it is called off. */
function pause(setTimer: Timer, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      setTimer();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    setTimer(ms, end);
    signal?.addEventListener("abort", end);
  });
}
