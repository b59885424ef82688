/**
 * Owns one attempt at one provider: from the request to the end of its answer, within its time
 * limits. Whatever happens, the provider's socket is closed when the attempt is over (L3).
 * Refuses to know about other attempts and about the client's format.
 */
import type { EventSourceMessage } from "eventsource-parser";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_UPSTREAM_ERROR_BYTES } from "../protocol/limits.ts";
import { openScope } from "../stream/abort.ts";
import type { Clock } from "../stream/clock.ts";
import { closing } from "../stream/closing.ts";
import { IdleTimer } from "../stream/idle-timer.ts";
import { type Chunk, isFinish, isRecord, parseChunk } from "./chunk.ts";
import { readEvents } from "./read-events.ts";
import { readLimited } from "./read-limited.ts";
import type { ChatRequest } from "./request.ts";
import type { Upstream } from "./upstream.ts";
import { readUpstreamError, toUpstreamError } from "./upstream-error.ts";

/** A piece of the answer: the provider's JSON, and the same understood. */
export interface AnswerChunk {
  readonly json: string;
  readonly chunk: Chunk;
}

/** How long a provider may take and how much it may say. */
interface AnswerLimits {
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

/** Milliseconds a provider that has said its last word may take for usage and `[DONE]`; some never send them. */
const AFTER_FINISH_MS = 5_000;

/** Milliseconds given to a provider to end its body after `[DONE]`, so that its connection can be used again. */
const AFTER_DONE_MS = 20;

/**
 * Streams one provider's answer, a batch for each read. Returning normally means that the provider
 * said it was done (`finish_reason` or `[DONE]`, see {@link Phase}).
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
    scope.abort(
      phase === "finished" || phase === "done"
        ? FINISHED_QUIETLY
        : new SluiceError("upstream_timeout", { detail: describeSilence(phase, limits) }),
    );
  });
  silence.start();
  try {
    const response = await upstream.open(request, scope.signal);
    const body = await requireEventStream(response, scope.signal);
    await using reads = closing(
      readEvents(body, { maxBytes: limits.maxOutputBytes, signal: scope.signal }),
    );
    for (;;) {
      const before: Phase = phase;
      // While it speaks, any byte is a sign of life; the other limits run from where they began, or
      // comments could stretch them for ever.
      if (phase === "speaking") silence.start(limits.idleMs);
      const read = await reads.next();
      if (read.done === true) break;
      if (phase === "done") continue;
      const { batch, phase: next, failure } = understand(read.value, phase);
      phase = next;
      if (phase === "speaking") silence.pause();
      else if (phase !== before) silence.start(patience(phase, limits));
      // What was said before a failure counts, however the bytes happened to be split into reads.
      if (batch.length > 0) yield batch;
      if (failure !== undefined) throw failure;
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (phase === "finished" || phase === "done") return;
    throw toUpstreamError(scope.signal.aborted ? scope.signal.reason : error);
  }
  if (phase === "speaking") throw new SluiceError("upstream_truncated");
  if (phase === "silent") {
    throw new SluiceError("upstream_bad_response", {
      detail: "The model provider ended its answer without a single event.",
    });
  }
}

/**
 * Yields one provider's whole answer, as its own JSON text, once.
 *
 * @throws SluiceError when there is none; or the signal's reason once aborted.
 */
export async function* attemptWholeAnswer(
  upstream: Upstream,
  request: ChatRequest,
  { signal, limits }: AttemptContext,
): AsyncGenerator<string, void, undefined> {
  using scope = openScope(signal);
  try {
    const response = await upstream.open(request, scope.signal);
    const body: ReadableStream<Uint8Array> | null = response.body;
    if (body === null) throw new SluiceError("upstream_bad_response");
    const text = await readLimited(body, {
      maxBytes: limits.maxOutputBytes,
      signal: scope.signal,
    });
    const value = parseObject(text);
    if (value["error"] !== undefined && value["error"] !== null) throw readUpstreamError(value);
    if (!Array.isArray(value["choices"])) throw new SluiceError("upstream_bad_response");
    yield text;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw toUpstreamError(error);
  }
}

/**
 * `silent` until the first chunk, `speaking` until a `finish_reason`, `finished` until `[DONE]`.
 * In the last two the answer is complete: nothing that follows can spoil it.
 */
type Phase = "silent" | "speaking" | "finished" | "done";

/** Understands the events of one read, up to the one that ends the answer or is none. */
function understand(
  events: readonly EventSourceMessage[],
  before: Phase,
): { readonly batch: readonly AnswerChunk[]; readonly phase: Phase; readonly failure?: unknown } {
  const batch: AnswerChunk[] = [];
  let phase = before;
  try {
    for (const event of events) {
      const parsed = parseChunk(event);
      if (parsed.kind === "done") return { batch, phase: "done" };
      if (parsed.kind === "blank") continue;
      batch.push(parsed);
      phase = phase === "finished" || isFinish(parsed.chunk) ? "finished" : "speaking";
    }
  } catch (failure) {
    return { batch, phase, failure };
  }
  return { batch, phase };
}

const FINISHED_QUIETLY = new SluiceError("upstream_truncated");

function patience(phase: Phase, limits: AnswerLimits): number {
  switch (phase) {
    case "silent":
      return limits.firstTokenMs;
    case "speaking":
      return limits.idleMs;
    case "finished":
      return AFTER_FINISH_MS;
    case "done":
      return AFTER_DONE_MS;
  }
}

function describeSilence(phase: Phase, limits: AnswerLimits): string {
  return phase === "silent"
    ? `No answer within ${limits.firstTokenMs} ms.`
    : `The answer stopped for more than ${limits.idleMs} ms.`;
}

/** The body of an event stream; anything else with status 200 is an error in disguise. */
async function requireEventStream(
  response: Response,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const body: ReadableStream<Uint8Array> | null = response.body;
  if (body === null) throw new SluiceError("upstream_bad_response");
  const type = response.headers.get("content-type") ?? "";
  // Local servers are careless with this header; only what is surely something else is refused.
  if (!/^\s*(application\/(problem\+)?json|text\/html)\b/i.test(type)) return body;
  const text = await readLimited(body, { maxBytes: MAX_UPSTREAM_ERROR_BYTES, signal });
  const value = parseObject(text);
  if ("error" in value) throw readUpstreamError(value);
  throw new SluiceError("upstream_bad_response");
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // Falls through: what it is instead does not matter.
  }
  throw new SluiceError("upstream_bad_response");
}
