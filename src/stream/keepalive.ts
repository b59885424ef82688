/**
 * Owns the filling of silence, so that no edge or proxy takes a quiet stream for a dead one.
 * Refuses to know what the stream is about.
 */
import type { Clock } from "./clock.ts";
import { type ClosingIterator, operate } from "./closing.ts";
import { IdleTimer } from "./idle-timer.ts";

interface KeepaliveOptions<T> {
  readonly beat: T;
  readonly everyMs: number;
  readonly clock: Clock;
}

/**
 * Passes everything on and yields `beat` whenever the source has been silent for `everyMs`
 * milliseconds while somebody waited. A consumer that does not pull gets no beats: it is not waiting.
 */
export function keepalive<T>(
  source: AsyncIterable<T>,
  options: KeepaliveOptions<T>,
): AsyncIterableIterator<T> {
  return operate(source, (iterator) => fillSilence(iterator, options));
}

async function* fillSilence<T>(
  source: ClosingIterator<T>,
  { beat, everyMs, clock }: KeepaliveOptions<T>,
): AsyncGenerator<T, void, undefined> {
  await using iterator = source;
  let wake: (silence: undefined) => void = () => {};
  using timer = new IdleTimer(clock, everyMs, () => {
    wake(undefined);
  });
  let pending = iterator.next();
  for (;;) {
    timer.start();
    // One fresh promise a turn: racing a long-lived one would collect a reaction for every item.
    const result = await new Promise<IteratorResult<T, unknown> | undefined>((resolve, reject) => {
      wake = resolve;
      pending.then(resolve, reject);
    });
    timer.pause();
    if (result === undefined) {
      yield beat;
      continue;
    }
    if (result.done === true) return;
    yield result.value;
    pending = iterator.next();
  }
}
