/** Owns the names under which the Worker tells a room what it has established about a caller. */

export const DOOR_HEADER = "sluice-door";
export const MEMBER_HEADER = "sluice-member";
