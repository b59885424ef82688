/** Owns waiting in tests, in any runtime: for a condition, never for a time. Refuses to know what is waited for. */

/** Milliseconds a condition may take on a slow, busy machine. */
const PATIENCE_MS = 30_000;

/** Milliseconds between two looks. */
const INTERVAL_MS = 5;

/**
 * Waits until a condition holds.
 *
 * @throws Error that names the condition, and what was last `observed`, when it does not hold in time.
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  observed: () => unknown = () => undefined,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`Waited ${PATIENCE_MS} ms in vain for: ${what} (${String(observed())})`);
    }
    await new Promise((resolve) => {
      setTimeout(resolve, INTERVAL_MS);
    });
  }
}
