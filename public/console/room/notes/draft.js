/**
 * Owns what was written and is not stored yet, from one load of the page to the next: it is this tab's, and gone with it.
 * Refuses to know what it says.
 */

/** @param {string} room */
const keyOf = (room) => `sluice.notes ${room}`;

/** @param {string} room @returns {Uint8Array | undefined} */
export function readDraft(room) {
  const kept = sessionStorage.getItem(keyOf(room));
  return kept === null ? undefined : Uint8Array.from(kept, (char) => char.charCodeAt(0));
}

/** @param {string} room @param {Uint8Array} update */
export function keepDraft(room, update) {
  const text = Array.from(update, (byte) => String.fromCharCode(byte)).join("");
  try {
    sessionStorage.setItem(keyOf(room), text);
  } catch {
    // There is no room for it: what is not stored is lost, as the page says it may be.
  }
}

/** @param {string} room */
export function forgetDraft(room) {
  sessionStorage.removeItem(keyOf(room));
}
