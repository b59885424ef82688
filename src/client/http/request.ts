/**
 * Owns requests that are answered at once: their token, their repetition, their errors. Refuses to know
 * what is asked.
 */
import { given } from "../../protocol/given.ts";
import { backoff } from "../connection/backoff.ts";
import { timerOf } from "../connection/timer.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import type { Failure } from "../transport.ts";
import { failureOf, failureOfThrown, SILENT } from "./failure.ts";

/** What is asked. */
export interface Asked {
  /** From `/v1` on. */
  readonly path: string;
  /** What is undefined is left out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON, by POST; without it, it is a GET. */
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
 * One request, answered or not.
 *
 * @throws ClientError `bad_request` for a body that is no JSON (a `bigint`, a cycle), and a header that is
 *   none.
 * @throws what `fetch` throws, where there is no answer.
 */
export async function ask(
  { url, fetch }: Context,
  token: string | undefined,
  { path, body, headers }: Asked,
  signal: AbortSignal | null = null,
): Promise<Response> {
  const hasBody = body !== undefined;
  const all = {
    "content-type": hasBody ? "application/json" : undefined,
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    ...headers,
  };
  let init: RequestInit;
  try {
    init = {
      method: hasBody ? "POST" : "GET",
      headers: new Headers(given(all)),
      // What is undefined is so as JSON, too.
      body: JSON.stringify(body),
      signal,
    };
  } catch (cause) {
    throw new ClientError("bad_request", "It cannot be sent.", { cause });
  }
  return await fetch(`${url}${path}`, init);
}

/**
 * Asks for JSON, again and again while the network or the server is in trouble: only for what may be
 * repeated.
 *
 * @throws ClientError what the server has against it, or the last trouble.
 */
export async function call(
  context: Context,
  { signal = new AbortController().signal, attempts = MAX_ATTEMPTS, ...asked }: Call,
): Promise<unknown> {
  const { tokens, clock, random } = context;
  const setTimer = timerOf(clock);
  /** Aborts after so long, or when the application calls it off. */
  const within = (ms: number): AbortSignal => {
    const late = new AbortController();
    setTimer(ms, () => {
      late.abort();
    });
    return AbortSignal.any([signal, late.signal]);
  };
  let refused: string | undefined;
  for (let failed = 0; ; failed += 1) {
    const token = await tokens(refused);
    let failure: Failure;
    const over = within(ATTEMPT_MS);
    try {
      const response = await ask(context, token, asked, over);
      if (response.ok) return await response.json();
      failure = await failureOf(response);
    } catch (thrown) {
      failure = over.aborted ? SILENT : failureOfThrown(thrown);
    } finally {
      setTimer();
    }
    if (signal.aborted) throw new ClientError("closed", "The application closed it.");
    const { code, message, reconnect, retryAfterMs = 0 } = failure;
    // A new token is tried once; more would not be better.
    const isRefused = reconnect === "refresh";
    if (failed + 1 >= attempts || reconnect === "no" || (isRefused && refused !== undefined)) {
      throw new ClientError(code, message, failure);
    }
    if (isRefused) {
      refused = token ?? "";
    } else {
      const pause = within(backoff(failed, retryAfterMs, random()));
      await new Promise<void>((resolve) => {
        pause.addEventListener("abort", () => resolve());
      });
      setTimer();
    }
  }
}
