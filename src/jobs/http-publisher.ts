/**
 * Owns telling a topic of a Sluice server over HTTP, from a backend anywhere: again until it is
 * durable, once in the topic. Refuses to know what is told.
 */
import { type Clock, type Random, sleep, systemClock } from "../stream/clock.ts";
import type { EventPublisher } from "./progress.ts";

/** Milliseconds for which it is tried again before whoever tells is told: a deploy or a restart takes less. */
const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 200;
const MAX_PAUSE_MS = 10_000;
/** As much of an answer as an error shows. */
const MAX_QUOTED_CHARS = 500;

interface HttpPublisherOptions {
  /** The topic's address, `https://…/v1/topics/<name>`. */
  readonly url: string;
  /** Bearer token, where the server asks for one. */
  readonly token?: string;
  readonly signal?: AbortSignal;
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock?: Clock;
  readonly random?: Random;
}

/**
 * A publisher that posts to a topic.
 *
 * @throws Error from `publish`, when the server refuses, or cannot be reached for a minute.
 */
export function createHttpPublisher(options: HttpPublisherOptions): EventPublisher {
  const { url } = options;
  return {
    async publish(events, end) {
      // The events have ids: repeating them, with an answer lost, stores them once.
      await post(end === undefined ? url : `${url}?close=${end}`, events, options);
    },
  };
}

async function post(url: string, body: unknown, options: HttpPublisherOptions): Promise<void> {
  const { clock = systemClock, random = Math.random } = options;
  const { signal = new AbortController().signal } = options;
  const begunAt = clock.now();
  for (let attempt = 1; ; attempt += 1) {
    const failure = await attemptPost(url, body, { ...options, signal });
    if (failure === undefined) return;
    if (!failure.isRetryable || clock.now() - begunAt >= PATIENCE_MS) throw failure.error;
    const pauseMs = random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
    await sleep(clock, Math.max(pauseMs, failure.waitMs), signal);
  }
}

interface Failure {
  readonly error: Error;
  readonly isRetryable: boolean;
  /** What the server asks for. */
  readonly waitMs: number;
}

async function attemptPost(
  url: string,
  body: unknown,
  { token, signal, fetch = globalThis.fetch }: HttpPublisherOptions & { signal: AbortSignal },
): Promise<Failure | undefined> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: "POST",
      body: JSON.stringify(body),
      signal,
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
    });
    text = await response.text();
  } catch (cause) {
    signal.throwIfAborted();
    const error = new Error("The topic could not be reached.", { cause });
    return { error, isRetryable: true, waitMs: 0 };
  }
  if (response.ok) return undefined;
  const { status, headers } = response;
  const seconds = Number(headers.get("retry-after") ?? 0);
  return {
    error: new Error(`The topic answered ${status}: ${text.slice(0, MAX_QUOTED_CHARS)}`),
    isRetryable: status >= 500 || status === 429,
    waitMs: Number.isFinite(seconds) ? seconds * 1_000 : 0,
  };
}
