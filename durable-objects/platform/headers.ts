/**
 * Owns the headers in which the Worker tells an object what it has established about who wants a
 * socket. Kept apart from the objects, so that doors need not load them. Refuses to know what follows.
 */

/** Whether the socket is a member's or a viewer's. */
export const DOOR_HEADER = "sluice-door";

/** What the caller may do, whose token it is and until when: see `Permit`. */
export const PERMIT_HEADER = "sluice-permit";

/** Where a reader begins: see `ReaderStart`. */
export const START_HEADER = "sluice-start";

/** The slots that a connection takes of its callers' quotas, with commas between them. */
export const SLOTS_HEADER = "sluice-slots";

/** Who pays for what is said on a socket, with commas between them. */
export const PAYERS_HEADER = "sluice-payers";

/** Set by a request that asks what would be answered, and wants no socket. */
export const PROBE_HEADER = "sluice-probe";

/** Names the attempt, set by a viewer of an answer that is just being asked for. */
export const STARTING_HEADER = "sluice-starting";
