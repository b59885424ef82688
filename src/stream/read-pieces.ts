/**
 * Owns the patience with a body that somebody sends: between two pieces of it, and for all of it.
 * Refuses to know what is in it.
 */
import { SluiceError } from "../protocol/errors.ts";
import type { Clock } from "./clock.ts";

/** How long a body may take. */
export interface Patience {
  readonly clock: Clock;
  /** Milliseconds between two pieces. */
  readonly idleMs: number;
  /** Milliseconds for all of it; left out for a body that lasts as long as its sender likes. */
  readonly totalMs?: number;
}

/**
 * The pieces of a body as they come. Nothing is read that was not asked for (B1), and what the reader
 * does between two pieces costs the sender nothing of its time. Who stops early leaves the rest to be read.
 *
 * @throws SluiceError `body_timeout`; `invalid_request` when its sender leaves before its end.
 */
export async function* readPieces(
  body: ReadableStream<Uint8Array>,
  { clock, idleMs, totalMs = Number.POSITIVE_INFINITY }: Patience,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  let spentMs = 0;
  try {
    for (;;) {
      const began = clock.now();
      const result = await within(clock, Math.min(idleMs, totalMs - spentMs), reader.read());
      spentMs += clock.now() - began;
      if (result.done) return;
      yield result.value;
    }
  } catch (thrown) {
    // Not waited for: a sender that trickles would hold that up, too.
    reader.cancel().catch(() => {});
    throw thrown;
  } finally {
    reader.releaseLock();
  }
}

function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const disarm = clock.after(Math.max(0, ms), () => {
      reject(new SluiceError("body_timeout"));
    });
    const breakOff = (cause: unknown): void => {
      reject(new SluiceError("invalid_request", { detail: "The body broke off.", cause }));
    };
    work.then(resolve, breakOff).finally(disarm);
  });
}
