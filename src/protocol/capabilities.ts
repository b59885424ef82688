/**
 * Owns the words for what somebody may do, and to what. Refuses to know who may: that is decided by
 * tokens.
 */

/** What can be opened. An answer of a model is a generation. */
export const KINDS = ["rooms", "topics", "generations"] as const;

/** One of {@link KINDS}. */
export type Kind = (typeof KINDS)[number];

/**
 * What may be done to it. `read` watches and goes on from a position, `history` takes what is stored
 * page by page, `presence` shows a state of one's own; `admin` is everything, and what the others are not:
 * settings, closing, deleting, figures, revocations.
 */
export const CAPABILITIES = [
  "read",
  "history",
  "publish",
  "presence",
  "direct",
  "run",
  "cancel",
  "admin",
] as const;

/** One of {@link CAPABILITIES}. */
export type Capability = (typeof CAPABILITIES)[number];
