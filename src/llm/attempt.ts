/**
 * Owns one attempt at one provider's streamed answer: from the request to its end, within its time
 * limits. Whatever happens, the provider's socket is closed when the attempt is over (L3).
 * Refuses to know about other attempts and about the client's format.
 */
import { SluiceError } from "../protocol/errors.ts";
import { AFTER_DONE_MS, AFTER_FINISH_MS, USAGE_MS } from "../protocol/limits.ts";
import { openScope } from "../stream/abort.ts";
import type { Clock } from "../stream/clock.ts";
import { closing } from "../stream/closing.ts";
import { IdleTimer } from "../stream/idle-timer.ts";
import { isRecord } from "./chunk.ts";
import { advance, type AnswerChunk, describeEnd, isComplete, type Phase } from "./progress.ts";
import { readEvents } from "./read-events.ts";
import type { ChatRequest } from "./request.ts";
import { readUnstreamed } from "./unstreamed.ts";
import type { Upstream } from "./upstream.ts";
import { toUpstreamError } from "./upstream-error.ts";

/** How long a provider may take and how much it may say. */
export interface AnswerLimits {
  readonly firstTokenMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly maxOutputBytes: number;
}

/** What an attempt needs from outside. */
export interface AttemptContext {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly limits: AnswerLimits;
}

/**
 * Streams one provider's answer, a batch for each read. Returning normally means that the provider
 * said it was done (`finish_reason` or `[DONE]`).
 *
 * @throws SluiceError for everything else, truncation included; or the signal's reason once aborted.
 */
export async function* attemptAnswer(
  upstream: Upstream,
  request: ChatRequest,
  { signal, clock, limits }: AttemptContext,
): AsyncGenerator<readonly AnswerChunk[], void, undefined> {
  using scope = openScope(signal);
  let phase: Phase = "silent";
  using silence = new IdleTimer(clock, limits.firstTokenMs, () => {
    scope.abort(new SluiceError("upstream_timeout", { detail: describeSilence(phase, limits) }));
  });
  silence.start();
  let isCounting = true;
  try {
    const response = await upstream.open(request, scope.signal);
    const unstreamed = await readUnstreamed(response, {
      maxBytes: limits.maxOutputBytes,
      signal: scope.signal,
    });
    if (unstreamed !== undefined) {
      phase = "done";
      yield [unstreamed];
      return;
    }
    const body: ReadableStream<Uint8Array> | null = response.body;
    if (body === null) throw new SluiceError("upstream_bad_response");
    await using reads = closing(
      readEvents(body, { maxBytes: limits.maxOutputBytes, signal: scope.signal }),
    );
    for (;;) {
      if (!isCounting) silence.start(patience(phase, request, limits));
      isCounting = true;
      const read = await reads.next();
      if (read.done === true) break;
      if (phase === "done") continue;
      const step = advance(read.value, phase);
      const isEvent = step.batch.length > 0 || step.phase !== phase;
      phase = step.phase;
      // Until the first word one limit runs without a pause, and comments restart none: otherwise a
      // provider could be waited for as long as it likes.
      if (isEvent && phase !== "opened") {
        silence.pause();
        isCounting = false;
      }
      // What was said before a failure counts, however the bytes happened to be split into reads.
      if (step.batch.length > 0) yield step.batch;
      if (step.failure !== undefined) throw step.failure;
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isComplete(phase)) return;
    throw toUpstreamError(scope.signal.aborted ? scope.signal.reason : error);
  }
  const failure = describeEnd(phase);
  if (failure !== undefined) throw failure;
}

function patience(phase: Phase, request: ChatRequest, limits: AnswerLimits): number {
  switch (phase) {
    case "silent":
    case "opened":
      return limits.firstTokenMs;
    case "speaking":
      return limits.idleMs;
    case "finished":
      return wantsUsage(request) ? USAGE_MS : AFTER_FINISH_MS;
    case "done":
      return AFTER_DONE_MS;
  }
}

function wantsUsage({ stream_options: options }: ChatRequest): boolean {
  return isRecord(options) && options["include_usage"] === true;
}

function describeSilence(phase: Phase, limits: AnswerLimits): string {
  return phase === "speaking"
    ? `The answer stopped for more than ${limits.idleMs} ms.`
    : `No word of an answer within ${limits.firstTokenMs} ms.`;
}
