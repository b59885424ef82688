/**
 * Owns the meeting of two calls that travel together: one starts an answer, the other opens its first
 * viewer's socket, and may be there first. Refuses to know what comes of either.
 */

/** Attempts that are remembered: of most, both calls are there within a moment. */
const MAX_ATTEMPTS = 64;

export class Starts {
  /**
   * By the attempt's name, which is new for each: one that failed must not speak for the next. What the viewer
   * waits to have called; undefined when nobody waits, because the attempt has come to something.
   */
  readonly #attempts = new Map<string, (() => void) | undefined>();

  /** Whether the attempt has come to something. */
  isOver(attempt: string): boolean {
    return this.#attempts.has(attempt) && this.#attempts.get(attempt) === undefined;
  }

  /** The viewer is here first: calls `decided` when the attempt has come to something, whatever that is. */
  wait(attempt: string, decided: () => void): void {
    this.#remember(attempt, decided);
  }

  /** The attempt has come to something; may be said again. */
  end(attempt: string): void {
    const decided = this.#attempts.get(attempt);
    this.#remember(attempt, undefined);
    decided?.();
  }

  #remember(attempt: string, decided: (() => void) | undefined): void {
    this.#attempts.set(attempt, decided);
    if (this.#attempts.size <= MAX_ATTEMPTS) return;
    const [oldest = "", forgotten] = this.#attempts.entries().next().value ?? [];
    this.#attempts.delete(oldest);
    forgotten?.();
  }
}
