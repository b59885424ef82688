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
  readonly onFailedAttempt?: (upstream: Upstream, error: SluiceError) => void;
}

/** One attempt: its items, and whether it has already shown the client something of an answer. */
interface Attempt<T> {
  readonly items: AsyncIterable<T>;
  readonly hasSpoken: () => boolean;
}

/**
 * Yields the items of the first attempt that succeeds. A failure leads to the next provider only
 * when it is worth it and nothing of an answer has been shown. After a whole round of failures there
 * is one pause: the shortest `retry-after` when every provider asks for one, else random up to
 * {@link RETRY_BASE_MS}; who asked for more is left out of the next round.
 *
 * @throws SluiceError the failure of the last round (the one with the shortest `retry-after`, if any)
 *   when all rounds are over, a failure no provider can mend at once, or the signal's reason.
 */
export async function* tryInTurn<T>(
  { upstreams, signal, clock, random, onFailedAttempt }: FallbackContext,
  start: (upstream: Upstream) => Attempt<T>,
): AsyncGenerator<T, void, undefined> {
  let candidates = upstreams;
  for (let round = 1; ; round += 1) {
    let failure: SluiceError | undefined;
    const waits = new Map<Upstream, number>();
    for (const upstream of candidates) {
      const attempt = start(upstream);
      try {
        await using items = closing(attempt.items);
        for (let item = await items.next(); item.done !== true; item = await items.next()) {
          yield item.value;
        }
        return;
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        const error = toSluiceError(thrown);
        onFailedAttempt?.(upstream, error);
        if (attempt.hasSpoken()) throw error;
        if (!isWorthRetrying(error)) throw error;
        if (error.retryAfter !== undefined) waits.set(upstream, error.retryAfter * 1000);
        if (!isSooner(failure, error)) failure = error;
      }
    }
    const everyoneAsks = waits.size === candidates.length;
    const pause = everyoneAsks ? Math.min(...waits.values()) : random() * RETRY_BASE_MS;
    if (failure !== undefined && (round === MAX_UPSTREAM_ROUNDS || pause > MAX_RETRY_WAIT_MS)) {
      throw failure;
    }
    candidates = candidates.filter((upstream) => (waits.get(upstream) ?? 0) <= pause);
    await sleep(clock, pause, signal);
  }
}

function isSooner(one: SluiceError | undefined, other: SluiceError): boolean {
  return (
    one?.retryAfter !== undefined &&
    other.retryAfter !== undefined &&
    one.retryAfter < other.retryAfter
  );
}
