/**
 * Owns the order in which providers are tried, how often, and the pauses between. Refuses to know
 * what is asked of them.
 */
import { type SluiceError, toSluiceError } from "../protocol/errors.ts";
import { MAX_RETRY_WAIT_MS, MAX_UPSTREAM_ROUNDS, RETRY_BASE_MS } from "../protocol/limits.ts";
import { type Clock, type Random, sleep } from "../stream/clock.ts";
import { closing } from "../stream/closing.ts";
import type { Upstream } from "./upstream.ts";
import { isWorthRetrying } from "./upstream-error.ts";

interface FallbackContext {
  readonly upstreams: readonly Upstream[];
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
}

/** One attempt: its items, and whether it has already shown the client something of an answer. */
interface Attempt<T> {
  readonly items: AsyncIterable<T>;
  readonly hasSpoken: () => boolean;
}

/**
 * Yields the items of the first attempt that succeeds. A failure leads to the next provider only
 * when it is worth it and nothing of an answer has been shown; after a whole round of failures there
 * is one pause, as long as the shortest `retry-after` asks, or random up to {@link RETRY_BASE_MS}.
 *
 * @throws SluiceError the last failure when all rounds are over, a failure no provider can mend at
 *   once, or the signal's reason.
 */
export async function* tryInTurn<T>(
  { upstreams, signal, clock, random }: FallbackContext,
  start: (upstream: Upstream) => Attempt<T>,
): AsyncGenerator<T, void, undefined> {
  for (let round = 1; ; round += 1) {
    let failure: SluiceError | undefined;
    let wait: number | undefined;
    for (const upstream of upstreams) {
      const attempt = start(upstream);
      try {
        await using items = closing(attempt.items);
        for (let item = await items.next(); item.done !== true; item = await items.next()) {
          yield item.value;
        }
        return;
      } catch (error) {
        if (signal.aborted || attempt.hasSpoken()) throw error;
        failure = toSluiceError(error);
        if (!isWorthRetrying(failure)) throw failure;
        if (failure.retryAfter !== undefined) {
          wait = Math.min(wait ?? Number.POSITIVE_INFINITY, failure.retryAfter * 1000);
        }
      }
    }
    const pause = wait ?? random() * RETRY_BASE_MS;
    if (failure !== undefined && (round === MAX_UPSTREAM_ROUNDS || pause > MAX_RETRY_WAIT_MS)) {
      throw failure;
    }
    await sleep(clock, pause, signal);
  }
}
