/** Owns the limits of how replicas are kept: name, unit and reason. How many there are is a room's setting. */
import { BATCH_BYTES } from "../../src/protocol/limits.ts";

/** How much is handed to a replica at a time: it becomes one row there, and one frame for those who read it. */
export const PUSH_PAGE = { maxBytes: BATCH_BYTES, maxEntries: 1024 } as const;

/**
 * How much a replica reads at a time of what it lacks: more, for a reader waits for it. It becomes a row, which whoever
 * reads from the log is given in one frame.
 */
export const COPY_PAGE = { maxBytes: 8 * BATCH_BYTES, maxEntries: 8192 } as const;

/**
 * Milliseconds between two times that a replica asks its room by itself whether it lacks anything. Seldom: as many as
 * there are of them would keep the room awake.
 */
export const LOOK_MS = 3_600_000;

/** Milliseconds before a push that has failed is tried again, for the first time; then twice as long each time. */
export const FIRST_PUSH_PAUSE_MS = 250;

/** Milliseconds between two tries at most. */
export const MAX_PUSH_PAUSE_MS = 30_000;

/**
 * Failures in a row after which a replica is left alone, after some two minutes: until it asks again, when it next
 * looks or somebody wants to read it, or the room wakes anew.
 */
export const MAX_PUSH_FAILURES = 12;

/** Seconds after which a reader may come again whose replica could not reach its room: the time of a restart. */
export const REPLICA_RETRY_S = 1;
