/** An iterable driven by hand, which tells whether it was returned. */
export class ManualSource<T> implements AsyncIterable<T> {
  returned = 0;
  pulls = 0;
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined;
  #queue: (IteratorResult<T, undefined> | Error)[] = [];

  push(value: T): void {
    this.#give({ done: false, value });
  }

  end(): void {
    this.#give({ done: true, value: undefined });
  }

  fail(error: Error): void {
    if (this.#waiting === undefined) this.#queue.push(error);
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: () => {
        this.pulls += 1;
        const ready = this.#queue.shift();
        if (ready instanceof Error) return Promise.reject(ready);
        if (ready !== undefined) return Promise.resolve(ready);
        this.#waiting = Promise.withResolvers();
        return this.#waiting.promise;
      },
      return: () => {
        this.returned += 1;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #give(result: IteratorResult<T, undefined>): void {
    if (this.#waiting === undefined) {
      this.#queue.push(result);
      return;
    }
    this.#waiting.resolve(result);
    this.#waiting = undefined;
  }
}
