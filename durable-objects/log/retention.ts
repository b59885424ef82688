/**
 * Owns how much of a log is kept and when removing the rest is worth a statement. Refuses to know how
 * it is removed.
 *
 * Limits are promises to readers: at least so much is kept. What lies beyond is removed in batches, so
 * a log exceeds its limits by a bounded slack instead of paying for a trim with every append.
 */
import { MAX_TRIM_DELAY_MS, MIN_TRIM_BYTES, MIN_TRIM_ENTRIES, TRIM_SLACK } from "./limits.ts";

/** What is kept; a limit that is absent does not bound. */
export interface Retention {
  /** Newest entries kept; at least 1. */
  readonly maxEntries?: number;
  /** Newest bytes kept; at least 1. */
  readonly maxBytes?: number;
  /** Milliseconds an entry is kept. */
  readonly maxAgeMs?: number;
}

/** A point in a log: the totals of everything before it. */
export interface Mark {
  /** Last sequence number before the point; 0 at the beginning. */
  readonly seq: number;
  readonly bytes: number;
  readonly rows: number;
}

/** What of a log is kept: the rows that reach beyond `seq` and `bytes` and are not older than `at`. */
export interface Cut {
  readonly seq: number;
  readonly bytes: number;
  readonly at: number;
}

/** The cut for a log that ends at `end`, at the time `now`. */
export function cutFor(retention: Retention, end: Mark, now: number): Cut {
  return {
    seq: Math.max(0, end.seq - (retention.maxEntries ?? end.seq)),
    bytes: Math.max(0, end.bytes - (retention.maxBytes ?? end.bytes)),
    at: now - (retention.maxAgeMs ?? now),
  };
}

/** When the oldest row, written at `oldestAt`, is due for removal; `undefined`: never by age. */
export function ageDueAt(retention: Retention, oldestAt: number | undefined): number | undefined {
  if (oldestAt === undefined || retention.maxAgeMs === undefined) return undefined;
  return (
    oldestAt + retention.maxAgeMs + Math.min(retention.maxAgeMs * TRIM_SLACK, MAX_TRIM_DELAY_MS)
  );
}

/** Whether so many entries or bytes lie between `start` and `end` that a trim pays. */
export function isOverfull(retention: Retention, start: Mark, end: Mark): boolean {
  return (
    exceeds(end.seq - start.seq, retention.maxEntries, MIN_TRIM_ENTRIES) ||
    exceeds(end.bytes - start.bytes, retention.maxBytes, MIN_TRIM_BYTES)
  );
}

function exceeds(stored: number, limit: number | undefined, leastSlack: number): boolean {
  return limit !== undefined && stored > limit + Math.max(limit * TRIM_SLACK, leastSlack);
}
