/**
 * Owns the grammar of names: what rooms, members, events and messages may be called. ASCII only, so
 * that two names that look the same are the same. Refuses to know what is named.
 */

const NAME = /^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,127}$/;
const EVENT = /^[A-Za-z_][A-Za-z0-9._:/-]{0,63}$/;
const MESSAGE_ID = /^[\x21-\x7e]{1,64}$/;
const EPOCH = /^[0-9A-Za-z-]{1,64}$/;

/** 1–128 letters, digits and `._~:@-`, the first a letter or digit: safe in a URL's path as it is. */
export function isRoomName(name: string): boolean {
  return NAME.test(name);
}

/** Same grammar as rooms. */
export function isTopicName(name: string): boolean {
  return NAME.test(name);
}

/** Same grammar as rooms; identities of tokens (mail addresses, UUIDs) mostly fit unchanged. */
export function isMemberName(name: string): boolean {
  return NAME.test(name);
}

/** Names that an event stream gives to events of its own, and one that browsers give to theirs. */
const STREAM_EVENTS: ReadonlySet<string> = new Set(["gap", "end", "error", "open"]);

/**
 * 1–64 letters, digits and `._:/-`, the first a letter or `_`: no line breaks, so it fits an SSE field. None
 * that could be taken for one of the stream's own.
 */
export function isEventName(name: string): boolean {
  return EVENT.test(name) && !STREAM_EVENTS.has(name);
}

/** 1–64 visible ASCII characters, no space. */
export function isMessageId(id: string): boolean {
  return MESSAGE_ID.test(id);
}

/** 1–64 letters, digits and `-`; never `_`, which ends the epoch in a position. */
export function isEpoch(epoch: string): boolean {
  return EPOCH.test(epoch);
}
