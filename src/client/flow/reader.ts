/** Owns one reader's place in a queue. Refuses to know the queue's other readers. */

/** What a place is in. */
interface Queue<Item> {
  readonly end: { readonly error: Error | undefined } | undefined;
  at(place: number): { readonly item: Item | undefined } | undefined;
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
  #isGone = false;

  constructor(queue: Queue<Item>, at: number) {
    this.#queue = queue;
    this.next = at;
    this.done = at;
  }

  /**
   * Takes the next item, as soon as it is here; undefined when it never will be.
   *
   * @throws what ended the queue, once.
   */
  async wait(): Promise<Item | undefined> {
    while (!this.#isGone) {
      const entry = this.#queue.at(this.next);
      if (entry?.item !== undefined) {
        this.next += 1;
        return entry.item;
      }
      const { end } = this.#queue;
      if (entry === undefined && end !== undefined) {
        this.leave();
        if (end.error !== undefined) throw end.error;
      } else {
        await new Promise<void>((resolve) => {
          this.#waiting = resolve;
        });
      }
    }
    return undefined;
  }

  /** There may be something to take, or nothing ever. */
  wake(): void {
    this.#waiting?.();
  }

  /** Is done with all that it took. */
  settle(): void {
    if (this.done === this.next) return;
    this.done = this.next;
    this.#queue.settle();
  }

  /** Leaves, done with what it took. */
  leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.settle();
    this.#queue.detach(this);
    this.wake();
  }
}
