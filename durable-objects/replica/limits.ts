/** Owns the limits of how replicas are kept: name, unit and reason. How many there are is a room's setting. */
import { BATCH_BYTES } from "../../src/protocol/limits.ts";

/** How much is handed to a replica at a time: it becomes one row there, and one frame for those who read it. */
export const PUSH_PAGE = { maxBytes: BATCH_BYTES, maxEntries: 1024 } as const;

/** Milliseconds before a push that has failed is tried again, for the first time; then twice as long each time. */
export const FIRST_PUSH_PAUSE_MS = 250;

/** Milliseconds between two tries at most. */
export const MAX_PUSH_PAUSE_MS = 30_000;

/**
 * Failures in a row after which a replica is given up, after some two minutes: it asks again when it next looks, or
 * when somebody wants to read it.
 */
export const MAX_PUSH_FAILURES = 12;
