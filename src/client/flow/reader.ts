/** Owns one reader's place in a queue. Refuses to know the queue's other readers. */

/** What a place is in. */
interface Queue<Item> {
  readonly end: { readonly error: Error | undefined } | undefined;
  at(place: number): Item | undefined;
  settle(): void;
  detach(reader: Reader<Item>): void;
}

export class Reader<Item> {
  readonly #queue: Queue<Item>;
  #waiting: (() => void) | undefined;
  /** The place of the next item to take. */
  next: number;
  /** Everything before this place is done with. */
  done: number;
  /** Whether it has left. */
  isGone = false;

  constructor(queue: Queue<Item>, at: number) {
    this.#queue = queue;
    this.next = at;
    this.done = at;
  }

  /** Whether there is an item to take. */
  get hasNext(): boolean {
    return this.#queue.at(this.next) !== undefined;
  }

  /** Set when there is nothing more and never will be; with the error that ended it, if any. */
  get end(): { readonly error: Error | undefined } | undefined {
    return this.hasNext ? undefined : this.#queue.end;
  }

  /** The next item, if it is here. */
  take(): Item | undefined {
    const item = this.#queue.at(this.next);
    if (item !== undefined) this.next += 1;
    return item;
  }

  /** Is done with all that it took. */
  settle(): void {
    if (this.done === this.next) return;
    this.done = this.next;
    this.#queue.settle();
  }

  /** Resolves when there may be something to take, or it has left. */
  async wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
  }

  wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** Leaves, done with what it took. */
  leave(): void {
    if (this.isGone) return;
    this.isGone = true;
    this.settle();
    this.#queue.detach(this);
    this.wake();
  }
}
