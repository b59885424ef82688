/** Owns how much one call to an object carries. Refuses to know what it says. */
import { SluiceError } from "../protocol/errors.ts";
import { MAX_CALL_BYTES } from "../protocol/limits.ts";

/**
 * Refuses what a call would break off under, before anything is held for it. One character beyond Latin-1
 * doubles its whole text on the way.
 *
 * @throws SluiceError `body_too_large`.
 */
export function checkCallSize(texts: readonly string[]): void {
  const bytes = texts.reduce((sum, text) => sum + text.length * (isLatin(text) ? 1 : 2), 0);
  if (bytes <= MAX_CALL_BYTES) return;
  throw new SluiceError("body_too_large", {
    detail: `What is asked and what was said before are more than ${MAX_CALL_BYTES} bytes together.`,
  });
}

function isLatin(text: string): boolean {
  return !/[\u0100-\uFFFF]/.test(text);
}
