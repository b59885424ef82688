/** Owns the limits of how documents are kept: name, unit and reason. What members may do is in protocol/limits. */
import { MAX_ROW_BYTES } from "../log/limits.ts";

/**
 * Entries of the log, of whatever kind, that may lie behind what is stored of documents: whoever reads a document
 * has them looked through, which takes a few milliseconds.
 */
export const FOLD_ENTRIES = 2048;

/** Bytes of the same. */
export const FOLD_BYTES = 1024 * 1024;

/** How much of the log is looked at at a time for changes. */
export const FOLD_PAGE = { maxBytes: 256 * 1024, maxEntries: 1024 } as const;

/** Bytes from which on a stored part is left as it is; a smaller one takes in what is stored next. */
export const PART_BYTES = 64 * 1024;

/** Bytes of a row: a part that is larger takes several. */
export const PIECE_BYTES = MAX_ROW_BYTES;

/** Bytes of a document from which on it is worth trying to make it smaller. */
export const COMPACT_BYTES = 4 * 1024;

/**
 * Bytes by which deletions may make a document larger than it may be otherwise: what is deleted leaves marks, and
 * deletions of what nobody has written yet are kept whole.
 */
export const DELETION_BYTES = 2 * 1024 * 1024;

/** Updates that are merged at a time: the library takes the square of their number, so many are merged in a tree. */
export const MERGED_AT_A_TIME = 16;

/** Levels of lists and maps in what a document holds: far more than anybody writes, and no strain on anybody's stack. */
export const MAX_CONTENT_DEPTH = 64;
