/** Owns the time as it is shown, which need not be more exact than people. */
import { signal } from "@preact/signals";

const STEP_MS = 500;

/** Milliseconds since 1970. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, STEP_MS);
