/** Owns the one line that a screen reader is told without asking: ends and failures, nothing that flows. */
import { signal } from "@preact/signals";

export const announcement = signal("");

/** @param {string} text */
export function say(text) {
  announcement.value = text;
}
