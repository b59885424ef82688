/**
 * Owns the performance of a script: token after token, each when it is due. Refuses to know what is
 * said and how it is written down.
 */
import { type Clock, sleep } from "../../stream/clock.ts";
import type { Ending, Piece, Script } from "./script.ts";

/** A token, or the end. */
export type Beat = { readonly piece: Piece } | { readonly ending: Ending | "length" };

/** What a performance needs from outside. */
interface PlayContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Tokens after which the answer ends with `length`. */
  readonly maxTokens: number;
}

/**
 * Plays a script. Nothing happens between two pulls: who reads slowly hears slowly, and no timer is
 * armed while nobody listens.
 *
 * @throws the signal's reason as soon as it aborts.
 */
export async function* play(
  { pieces, pace, ending }: Script,
  { clock, signal, maxTokens }: PlayContext,
): AsyncGenerator<Beat, void, undefined> {
  await sleep(clock, pace.firstTokenMs, signal);
  let said = 0;
  for (const piece of pieces) {
    if (said >= maxTokens) {
      yield { ending: "length" };
      return;
    }
    if (said > 0) await sleep(clock, pace.tokenMs, signal);
    said += 1;
    yield { piece };
  }
  yield { ending };
}
