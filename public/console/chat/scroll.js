/** Owns the reader's place on the page: who reads further up is left there. */

/** Pixels from the end within which a reader counts as being at the end; half a line or so. */
const NEAR_PX = 24;

/** @param {() => void} change what makes the page longer */
export function keepingBottom(change) {
  const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
  const atBottom = scrollHeight - clientHeight - scrollTop <= NEAR_PX;
  change();
  if (atBottom) goToBottom();
}

export function goToBottom() {
  const root = document.documentElement;
  root.scrollTop = root.scrollHeight;
}
