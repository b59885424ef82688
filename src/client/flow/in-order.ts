/** Owns the order of things of which some need time. Refuses to know what they are. */

/** Takes values, or promises of them that never reject, and gives the values in the order they came. */
export class InOrder {
  #last: Promise<void> | undefined;
  #pending = 0;
  #generation = 0;

  /** Whether everything was given. */
  get isEmpty(): boolean {
    return this.#pending === 0;
  }

  /** Gives at once when nothing is waited for. */
  add<Value>(value: Value | Promise<Value>, give: (value: Value) => void): void {
    if (this.#pending === 0 && !(value instanceof Promise)) {
      give(value);
      return;
    }
    this.#pending += 1;
    this.#last = this.#giveAfter(this.#last, value, give);
  }

  /** Forgets what has not been given. */
  clear(): void {
    this.#generation += 1;
    this.#pending = 0;
    this.#last = undefined;
  }

  async #giveAfter<Value>(
    before: Promise<void> | undefined,
    value: Value | Promise<Value>,
    give: (value: Value) => void,
  ): Promise<void> {
    const generation = this.#generation;
    await before;
    const settled = await value;
    if (generation !== this.#generation) return;
    this.#pending -= 1;
    give(settled);
  }
}
