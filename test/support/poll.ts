/** Owns waiting in tests: for a condition, never for a time. Refuses to know what is waited for. */
import { setTimeout as pause } from "node:timers/promises";

const EVERY_MS = 5;
const PATIENCE_MS = 30_000;

/** Waits until `condition` holds; fails with `what` and the last `observed` value when it does not in time. */
export async function until(
  what: string,
  condition: () => boolean,
  observed: () => unknown = () => undefined,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) {
      throw new Error(`Waited ${PATIENCE_MS} ms in vain for: ${what} (${String(observed())})`);
    }
    await pause(EVERY_MS);
  }
}
