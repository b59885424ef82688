/**
 * Owns places in a shared text that stay where they are when others write: by the letters beside them. Refuses to know whose
 * they are. What comes from others is anybody's word.
 */
import * as Y from "yjs";

/**
 * A caret, or a selection from `anchor` to `head`, where the caret is.
 *
 * @typedef {{ readonly anchor: number, readonly head: number }} Selection
 * @typedef {{ readonly anchor: Y.RelativePosition, readonly head: Y.RelativePosition }} Caret
 */

/** @param {Y.Text} text @param {Selection} selection @returns {Caret} */
export function caretOf(text, { anchor, head }) {
  // What others write at its ends is neither before a caret nor in a selection.
  const place = (/** @type {number} */ at, /** @type {number} */ other) =>
    Y.createRelativePositionFromTypeIndex(text, at, at < other ? 0 : -1);
  return { anchor: place(anchor, head), head: place(head, anchor) };
}

/**
 * Where it is now.
 *
 * @param {Y.Text} text
 * @param {Caret} caret
 * @returns {Selection | undefined} undefined when it is in another text, or beside letters that are not here yet
 */
export function placeOf(text, { anchor, head }) {
  const [from, to] = [indexOf(text, anchor), indexOf(text, head)];
  return from === undefined || to === undefined ? undefined : { anchor: from, head: to };
}

/** @param {Y.Text} text @param {Y.RelativePosition} position */
function indexOf(text, position) {
  if (text.doc === null) return undefined;
  // What was undone here is not known to the others.
  const place = Y.createAbsolutePositionFromRelativePosition(position, text.doc, false);
  return place?.type === text ? place.index : undefined;
}

/** As it travels: some ten bytes each. @param {Caret} caret @returns {readonly Uint8Array[]} */
export function encodeCaret({ anchor, head }) {
  return [Y.encodeRelativePosition(anchor), Y.encodeRelativePosition(head)];
}

/**
 * @param {Y.Text} text what it should be in
 * @param {unknown} encoded
 * @returns {Caret | undefined} undefined for what is none
 */
export function decodeCaret(text, encoded) {
  if (!Array.isArray(encoded) || encoded.length !== 2) return undefined;
  const [anchor, head] = encoded.map((bytes) => decodePosition(text, bytes));
  return anchor === undefined || head === undefined ? undefined : { anchor, head };
}

/** @param {Y.Text} text @param {unknown} bytes */
function decodePosition(text, bytes) {
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    const position = Y.decodeRelativePosition(bytes);
    const isHere = position.item !== null || position.tname === Y.findRootTypeKey(text);
    return isHere ? position : undefined;
  } catch {
    return undefined;
  }
}
