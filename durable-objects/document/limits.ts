/** Owns the limits of what documents leave in their room's log: name, unit and reason. */
import { MAX_ROW_BYTES } from "../log/limits.ts";

/**
 * Entries of the log, of whatever kind, that may lie behind the stored state of documents: a room that wakes
 * reads them in a few milliseconds, and for each so many a state is written anew.
 */
export const FOLD_ENTRIES = 2048;

/** Bytes of the same. */
export const FOLD_BYTES = 1024 * 1024;

/** How much of the log is looked at at a time for changes. */
export const FOLD_PAGE = { maxBytes: 256 * 1024, maxEntries: 1024 } as const;

/** Bytes of one piece of a state: a row. */
export const PART_BYTES = MAX_ROW_BYTES;

/**
 * Bytes by which deletions may make a document larger than it may be otherwise: what is deleted leaves marks, and
 * deletions of what nobody has written yet are kept whole.
 */
export const DELETION_BYTES = 2 * 1024 * 1024;
