/**
 * Owns asking for an answer before anything is written down about it. What leaves an object waits
 * until everything that it has written is durable, so a provider that is asked afterwards is asked
 * later than need be. Refuses to know what is written.
 *
 * Should the object go down in between, nothing of the answer was shown and nobody was told its name.
 */
import type { AnswerChunk } from "../../src/llm/progress.ts";
import { GENERATION_HEAD_START_MS } from "../../src/protocol/limits.ts";
import { type AbortScope, openScope } from "../../src/stream/abort.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { peek } from "../../src/stream/peek.ts";

/** An answer that was asked for. */
export interface Asked extends Disposable {
  readonly chunks: AsyncIterable<readonly AnswerChunk[]>;
  /** Closes the provider's socket. */
  readonly abort: AbortScope["abort"];
}

/** Gives the answer until the signal aborts. */
export type Answerer = (signal: AbortSignal) => AsyncIterable<readonly AnswerChunk[]>;

/**
 * Asks, and resolves when the request is on its way. The little time that this takes lets what a fast
 * provider says be written in one step with the rest.
 */
export async function ask(answer: Answerer, clock: Clock): Promise<Asked> {
  const scope = openScope(new AbortController().signal);
  const { abort } = scope;
  const dispose = (): void => {
    scope[Symbol.dispose]();
  };
  try {
    const chunks = await peek(answer(scope.signal), {
      patienceMs: GENERATION_HEAD_START_MS,
      clock,
    });
    return { chunks, abort, [Symbol.dispose]: dispose };
  } catch (failure) {
    // It belongs to the answer, which has to be begun to be ended.
    return { chunks: failWith(failure), abort, [Symbol.dispose]: dispose };
  }
}

// oxlint-disable-next-line require-yield -- an answer that fails before its first chunk
async function* failWith(
  failure: unknown,
): AsyncGenerator<readonly AnswerChunk[], void, undefined> {
  throw failure;
}
