/**
 * Owns what was received and not yet consumed: one queue, several readers, each with a place of its
 * own. What all readers are done with is consumed, and said so, which is what lets more come. Refuses
 * to know what items are, and what the marks mean that say how far a log is read with them.
 */

/** What an inbox tells whoever fills it. */
export interface InboxEvents<Mark> {
  /** All readers are done with what has this mark. */
  consumed(mark: Mark | undefined): void;
  /** Everything that came is consumed. */
  drained?(): void;
  /** The first reader has come. */
  wanted(): void;
  /** The last reader has gone. */
  unwanted?(): void;
}

/** An item on its way to its readers. */
export interface Entry<Item, Mark> {
  /** Undefined while it is waited for. */
  item: Item | undefined;
  readonly mark: Mark | undefined;
}

/** Where a reader is in the queue. */
export interface Place {
  /** Entries before the next to take. */
  next: number;
  /** Entries that are done with. */
  done: number;
  /** There may be something to take, or nothing ever. */
  wake(): void;
}

/** A reader, which can always leave. */
export type Items<Item> = Required<Pick<AsyncIterator<Item, undefined>, "next" | "return">>;

export class Inbox<Item, Mark> {
  readonly #events: InboxEvents<Mark>;
  readonly #places = new Set<Place>();
  protected readonly entries: Entry<Item, Mark>[] = [];
  /** Set when nothing follows what is here. */
  #end: { readonly error: Error | undefined } | undefined;
  #isClosed = false;

  constructor(events: InboxEvents<Mark>) {
    this.#events = events;
  }

  /** Whether everything that came is consumed. */
  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  /** Whether nobody reads. */
  protected get isUnread(): boolean {
    return this.#places.size === 0;
  }

  /**
   * Adds an item, or the promise of one, which never rejects and keeps its place. Its mark says what is read
   * when it is consumed; without one it is part of the next.
   */
  push(item: Item | Promise<Item>, mark: Mark | undefined): void {
    if (this.#end !== undefined) return;
    const entry: Entry<Item, Mark> = { item: undefined, mark };
    this.entries.push(entry);
    const arrive = (arrived: Item): void => {
      entry.item = arrived;
      this.#wake();
    };
    if (item instanceof Promise) void item.then(arrive);
    else arrive(item);
  }

  /** Nothing follows: readers end after what is here, by an error if there is one. */
  finish(error?: Error): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** Readers end now, whatever is here. */
  close(): void {
    this.#isClosed = true;
    this.#end = { error: undefined };
    this.#wake();
  }

  /**
   * Forgets what no reader has begun with, which whoever fills this can get again. The mark of the last
   * that stays; undefined when nothing does.
   */
  rewind(): Mark | undefined {
    const { entries } = this;
    let length = Math.max(0, ...Array.from(this.#places, ({ next }) => next));
    // What was begun has to be whole.
    while (length > 0 && length < entries.length && entries[length - 1]?.mark === undefined) {
      length += 1;
    }
    entries.length = length;
    return entries.at(-1)?.mark;
  }

  /**
   * Reads from the first call of `next` on. An item is done with when the next one is asked for, or when its
   * reader leaves.
   *
   * @throws what ended the queue, once.
   */
  read(): Items<Item> {
    const place: Place = { next: 0, done: 0, wake() {} };
    const items = this.#take(place);
    return {
      next: () => items.next(),
      return: () => {
        // Also ends a `next` that waits.
        this.#leave(place);
        return items.return(undefined);
      },
    };
  }

  async *#take(place: Place): AsyncGenerator<Item, undefined> {
    try {
      this.attach(place);
      while (this.#places.has(place)) {
        const entry = this.#isClosed ? undefined : this.entries[place.next];
        if (entry?.item !== undefined) {
          place.next += 1;
          yield entry.item;
          this.#settle(place);
        } else if (entry === undefined && this.#end !== undefined) {
          if (this.#end.error !== undefined) throw this.#end.error;
          break;
        } else {
          await new Promise<void>((resolve) => {
            place.wake = resolve;
          });
        }
      }
    } finally {
      this.#leave(place);
    }
    return undefined;
  }

  /** Lets a reader in: the first before everything, a later one before what is to come. */
  protected attach(place: Place): void {
    const isFirst = this.isUnread;
    place.next = isFirst ? 0 : this.entries.length;
    place.done = place.next;
    this.#places.add(place);
    if (isFirst) this.#events.wanted();
  }

  /** So many are consumed. */
  protected consume(count: number): void {
    if (count <= 0) return;
    const entries = this.entries.splice(0, count);
    for (const place of this.#places) {
      place.next -= count;
      place.done -= count;
    }
    for (const { mark } of entries) this.#events.consumed(mark);
    if (this.isEmpty) this.#events.drained?.();
  }

  /** A reader is done with what it took: consumes what all are done with. */
  #settle(place: Place): void {
    place.done = place.next;
    if (!this.isUnread) this.consume(Math.min(...Array.from(this.#places, ({ done }) => done)));
  }

  /** A reader leaves, done with what it took. */
  #leave(place: Place): void {
    this.#settle(place);
    if (!this.#places.delete(place)) return;
    this.#settle(place);
    if (this.isUnread) this.#events.unwanted?.();
    place.wake();
  }

  #wake(): void {
    for (const place of this.#places) place.wake();
  }
}
