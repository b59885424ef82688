/**
 * Owns the way from a request to an answer, streamed or whole, whichever provider gives it.
 * Refuses to know what a provider sends and how the client wants it.
 */
import { SluiceError } from "../protocol/errors.ts";
import { type AbortScope, openScope } from "../stream/abort.ts";
import type { Random } from "../stream/clock.ts";
import { closing } from "../stream/closing.ts";
import { type AttemptContext, attemptAnswer } from "./attempt.ts";
import { attemptWholeAnswer } from "./attempt-whole.ts";
import { isSpeech } from "./chunk.ts";
import { tryInTurn } from "./fallback.ts";
import type { AnswerChunk } from "./progress.ts";
import type { ChatRequest } from "./request.ts";
import type { Upstream } from "./upstream.ts";

/** What answering needs from outside. */
export interface AnswerContext extends AttemptContext {
  readonly random: Random;
  readonly upstreams: readonly Upstream[];
  /** Told of each attempt that failed, also when another one mends it. */
  readonly onFailedAttempt?: (upstream: Upstream, error: SluiceError) => void;
}

/**
 * Streams the answer of the first provider that gives one, a batch for each read from it. Others
 * take over only while the client has seen nothing of an answer; from its first word on, a failure
 * is the answer's end. Returning normally means that the answer is complete.
 *
 * @throws SluiceError what went wrong; or the signal's reason once aborted.
 */
export async function* streamAnswer(
  request: ChatRequest,
  context: AnswerContext,
): AsyncGenerator<readonly AnswerChunk[], void, undefined> {
  using scope = openScope(context.signal);
  using _deadline = limitTotal(scope, context);
  const attempt = { ...context, signal: scope.signal };
  yield* tryInTurn(attempt, (upstream) => {
    let spoken = false;
    return {
      items: watch(attemptAnswer(upstream, request, attempt), (batch) => {
        spoken ||= batch.some(({ chunk }) => isSpeech(chunk));
      }),
      hasSpoken: () => spoken,
    };
  });
}

/**
 * The whole answer as the provider's own JSON text, from the first provider that gives one.
 *
 * @throws SluiceError what went wrong; or the signal's reason once aborted.
 */
export async function completeAnswer(
  request: ChatRequest,
  context: AnswerContext,
): Promise<string> {
  using scope = openScope(context.signal);
  using _deadline = limitTotal(scope, context);
  const attempt = { ...context, signal: scope.signal };
  // Nothing is to be seen of a whole answer before its end, so its time is shared: enough must be
  // left for those who are asked after a provider that hangs.
  const share = context.limits.totalMs / context.upstreams.length;
  const firstByteMs = Math.max(context.limits.firstTokenMs, share);
  await using answers = closing(
    tryInTurn(attempt, (upstream) => ({
      items: attemptWholeAnswer(upstream, request, attempt, firstByteMs),
      hasSpoken: () => false,
    })),
  );
  const answer = await answers.next();
  if (answer.done === true) throw new SluiceError("upstream_bad_response");
  return answer.value;
}

function limitTotal(scope: AbortScope, { clock, limits }: AttemptContext): Disposable {
  const cancel = clock.after(limits.totalMs, () => {
    scope.abort(
      new SluiceError("upstream_timeout", {
        detail: `The answer took more than ${limits.totalMs} ms in all.`,
      }),
    );
  });
  return { [Symbol.dispose]: cancel };
}

async function* watch<T>(
  source: AsyncIterable<T>,
  look: (item: T) => void,
): AsyncGenerator<T, void, undefined> {
  for await (const item of source) {
    look(item);
    yield item;
  }
}
