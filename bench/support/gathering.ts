/**
 * Owns what is known of many connections together: how many are in, what they have heard, and the wait
 * until that is enough. Refuses to know what they are and what they hear.
 */

export class Gathering {
  joined = 0;
  heard = 0;
  /** Milliseconds of each delivery that was timed. */
  delays: number[] = [];
  readonly #name: string;
  readonly #patienceMs: number;
  #failure: Error | undefined;
  /** What is waited for, and how to go on. */
  #wait: { readonly isOver: () => boolean; readonly end: (error?: Error) => void } | undefined;

  /** @param name for people, in errors. @param patienceMs milliseconds that each wait may take. */
  constructor(name: string, patienceMs: number) {
    this.#name = name;
    this.#patienceMs = patienceMs;
  }

  /** What connections tell. */
  readonly events = {
    joined: (): void => {
      this.joined += 1;
      this.look();
    },
    heard: (count: number): void => {
      this.heard += count;
      this.look();
    },
    delayed: (ms: number): void => {
      this.delays.push(ms);
    },
    failed: (why: string): void => {
      this.#failure ??= new Error(`${this.#name}: ${why}`);
      this.#wait?.end(this.#failure);
    },
  };

  /** Opens `size` connections, `atOnce` of them at a time; resolves when the last is in. */
  async fill(size: number, atOnce: number, open: (nth: number) => void): Promise<void> {
    for (let nth = 0; nth < size; nth += 1) {
      await this.until(() => nth - this.joined < atOnce);
      open(nth);
    }
    await this.until(() => this.joined === size);
  }

  /** Something has changed that may be waited for. */
  look(): void {
    if (this.#wait?.isOver() === true) this.#wait.end();
  }

  /**
   * Resolves when `isOver` says so. One wait at a time: another would take the place of the first.
   *
   * @throws Error when a connection fails or it takes too long.
   */
  async until(isOver: () => boolean): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (isOver()) return;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      const seen = `${this.joined} joined, ${this.heard} messages came`;
      reject(new Error(`${this.#name} took too long: ${seen}.`));
    }, this.#patienceMs);
    this.#wait = {
      isOver,
      end: (error) => {
        if (error === undefined) resolve(undefined);
        else reject(error);
      },
    };
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#wait = undefined;
    }
  }
}
