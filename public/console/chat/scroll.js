/** Owns the reader's place in something that grows: who reads further up is left there. */

/** Pixels from the end within which a reader counts as being at the end; half a line or so. */
const NEAR_PX = 24;

/**
 * @param {Element | null | undefined} box what scrolls
 * @param {() => void} change what makes its contents longer
 */
export function keepingBottom(box, change) {
  if (box == null) {
    change();
    return;
  }
  const { scrollHeight, clientHeight, scrollTop } = box;
  const atBottom = scrollHeight - clientHeight - scrollTop <= NEAR_PX;
  change();
  if (atBottom) goToBottom(box);
}

/** @param {Element | null | undefined} box */
export function goToBottom(box) {
  if (box != null) box.scrollTop = box.scrollHeight;
}
