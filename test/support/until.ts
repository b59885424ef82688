/** Milliseconds a condition may take on a slow, busy machine. */
const PATIENCE_MS = 10_000;

/** Milliseconds between two looks. */
const INTERVAL_MS = 5;

/**
 * Waits until a condition holds, in any runtime.
 *
 * @throws Error that names the condition when it does not hold in time.
 */
export async function until(
  name: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${name}`);
    await new Promise((resolve) => {
      setTimeout(resolve, INTERVAL_MS);
    });
  }
}
