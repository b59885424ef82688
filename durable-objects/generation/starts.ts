/**
 * Owns the meeting of two calls that travel together: one starts an answer, the other opens its first
 * viewer's socket, and may be there first. Refuses to know what comes of either.
 */

/** Attempts that are remembered: of most, both calls are there within a moment. */
const MAX_ATTEMPTS = 64;

export class Starts {
  /** By the attempt's name, which is new for each: one that failed must not speak for the next. */
  readonly #attempts = new Map<string, PromiseWithResolvers<void>>();

  /** Resolves when the attempt has come to something, whatever that is. */
  async wait(attempt: string): Promise<void> {
    await this.#find(attempt).promise;
    this.#attempts.delete(attempt);
  }

  /** The attempt has come to something. */
  end(attempt: string): void {
    this.#find(attempt).resolve();
  }

  #find(attempt: string): PromiseWithResolvers<void> {
    const known = this.#attempts.get(attempt);
    if (known !== undefined) return known;
    for (const [name, oldest] of this.#attempts) {
      if (this.#attempts.size < MAX_ATTEMPTS) break;
      oldest.resolve();
      this.#attempts.delete(name);
    }
    const made = Promise.withResolvers<void>();
    this.#attempts.set(attempt, made);
    return made;
  }
}
