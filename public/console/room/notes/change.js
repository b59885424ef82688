/** Owns what has changed between two versions of a text. Refuses to know who changed it. */

/**
 * So many UTF-16 units were removed at a place, and these came instead.
 *
 * @typedef {{ readonly at: number, readonly removed: number, readonly inserted: string }} Change
 */

/**
 * The smallest change of one piece that makes `after` of `before`; it never parts the two halves of a character.
 *
 * @param {string} before
 * @param {string} after
 * @param {number} [caret] where the caret stands in `after`: of several changes that come to the same (another "a" in "aa")
 *   it is the one that ends there
 * @returns {Change | undefined} undefined when nothing has changed
 */
export function smallestChange(before, after, caret = after.length) {
  if (before === after) return undefined;
  const shorter = Math.min(before.length, after.length);
  const behind = sameEnd(before, after, Math.min(shorter, after.length - caret));
  const head = sameStart(before, after, shorter - behind);
  const tail = sameEnd(before, after, shorter - head);
  return {
    at: head,
    removed: before.length - tail - head,
    inserted: after.slice(head, after.length - tail),
  };
}

/** @param {string} one @param {string} other @param {number} most */
function sameStart(one, other, most) {
  let length = 0;
  while (length < most && one[length] === other[length]) length += 1;
  return isInside(one, length) || isInside(other, length) ? length - 1 : length;
}

/** @param {string} one @param {string} other @param {number} most */
function sameEnd(one, other, most) {
  let length = 0;
  while (length < most && one.at(-1 - length) === other.at(-1 - length)) length += 1;
  const isParted = isInside(one, one.length - length) || isInside(other, other.length - length);
  return isParted ? length - 1 : length;
}

/** Whether a place is between the halves of one character. @param {string} text @param {number} at */
function isInside(text, at) {
  return /^[\uD800-\uDBFF][\uDC00-\uDFFF]$/.test(text.slice(Math.max(0, at - 1), at + 1));
}

/**
 * Where the last change of a list that Yjs tells ends.
 *
 * @param {readonly { readonly retain?: number | undefined, readonly insert?: unknown }[]} delta
 */
export function endOf(delta) {
  let at = 0;
  for (const { retain = 0, insert } of delta) {
    at += retain + (typeof insert === "string" ? insert.length : 0);
  }
  return at;
}
