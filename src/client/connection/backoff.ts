/**
 * Owns how long a client stays away. Random over the whole range ("full jitter"), so that clients which
 * lost a server together do not come back together. Refuses to know why they lost it.
 */

/** Milliseconds within which the first attempt is made. */
export const FIRST_BACKOFF_MS = 1_000;

/** Milliseconds within which every later attempt is made at most. */
export const LONGEST_BACKOFF_MS = 30_000;

/**
 * Milliseconds after which a connection that stands counts as good, and attempts count from the first
 * again: a server that greets everybody and falls over would be run over by them otherwise. As long as
 * a heartbeat, so one has been answered.
 */
export const STABLE_MS = 25_000;

/** Milliseconds that a server may ask to be left alone; it does not get longer. */
export const LONGEST_RETRY_AFTER_MS = 86_400_000;

/**
 * Milliseconds until the next attempt.
 *
 * @param attempts how many have failed since the last good connection, this one not counted.
 * @param floorMs what the server asked for at least. The random part comes on top: it asks everybody.
 * @param chance from 0 to 1.
 */
export function backoff(attempts: number, floorMs: number, chance: number): number {
  const bound = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempts);
  return Math.min(floorMs, LONGEST_RETRY_AFTER_MS) + chance * bound;
}
