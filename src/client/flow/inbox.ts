/**
 * Owns what was received and not yet consumed: one queue, several readers, each with a place of its
 * own. What all readers are done with is consumed, and said so, which is what lets more come. Refuses
 * to know what items are, and what the marks mean that say how far a log is read with them.
 */

/** What an inbox tells whoever fills it. */
export interface InboxEvents<Mark> {
  /** All readers are done with what has this mark. */
  consumed(mark: Mark): void;
  /** The first reader has come. */
  start(): void;
  /** The last reader has gone. */
  rest?(): void;
}

/** What came at once, on its way to its readers: any number of items. */
export interface Entry<Item, Mark> {
  /** Undefined while they are waited for. */
  items: readonly Item[] | undefined;
  readonly mark: Mark;
}

/** Where a reader is in the queue. */
interface Place {
  /** Entries that it is done with. */
  done: number;
  /** Items of the next entry that it has taken: an entry is done with as a whole, or not at all. */
  part: number;
}

/** A reader, which can always leave. */
export interface Items<Item> extends AsyncIterable<Item, undefined> {
  next(): Promise<IteratorResult<Item, undefined>>;
  return(): Promise<IteratorResult<Item, undefined>>;
}

export class Inbox<Item, Mark> {
  readonly #events: InboxEvents<Mark>;
  readonly #places = new Set<Place>();
  protected readonly entries: Entry<Item, Mark>[] = [];
  /** Resolves when there may be something to take, or nothing ever. */
  #news = Promise.withResolvers<void>();
  /** Set when nothing follows what is here. */
  #end: { readonly error: Error | undefined } | undefined;
  #isClosed = false;

  constructor(events: InboxEvents<Mark>) {
    this.#events = events;
  }

  /** Whether nobody reads. */
  protected get isUnread(): boolean {
    return this.#places.size === 0;
  }

  /**
   * Adds what came at once, or the promise of it, which never rejects and keeps its place. The mark says how
   * far all is read when it is consumed.
   */
  push(items: readonly Item[] | Promise<readonly Item[]>, mark: Mark): void {
    if (this.#end !== undefined) return;
    const entry: Entry<Item, Mark> = { items: undefined, mark };
    this.entries.push(entry);
    const arrive = (arrived: readonly Item[]): void => {
      entry.items = arrived;
      this.#wake();
    };
    if (items instanceof Promise) void items.then(arrive);
    else arrive(items);
  }

  /** Nothing follows: readers end after what is here, by an error if there is one. */
  finish(error?: Error): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** Readers end with what each has begun with. */
  close(): void {
    this.#isClosed = true;
    this.finish();
  }

  /**
   * Forgets what no reader has begun with, which whoever fills this can get again. The mark of the last
   * that stays; undefined when nothing does.
   */
  rewind(): Mark | undefined {
    const begun = Array.from(this.#places, ({ done, part }) => done + Math.min(part, 1));
    this.entries.length = Math.max(0, ...begun);
    return this.entries.at(-1)?.mark;
  }

  /**
   * Reads from the first call of `next` on. An item is done with when the next one is asked for, or when its
   * reader leaves.
   *
   * @throws what ended the queue, once.
   */
  read(): Items<Item> {
    const place: Place = { done: 0, part: 0 };
    const items = this.#take(place);
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
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
      // The first reads all that is here, a later one what is to come.
      const isFirst = this.isUnread;
      if (!isFirst) place.done = this.entries.length;
      this.#places.add(place);
      if (isFirst) this.#events.start();
      while (this.#places.has(place) && (place.part > 0 || !this.#isClosed)) {
        const entry = this.entries[place.done];
        if (entry?.items !== undefined) {
          const item = entry.items[place.part];
          place.part += 1;
          if (item !== undefined) yield item;
          this.#settle(place);
        } else if (entry === undefined && this.#end !== undefined) {
          if (this.#end.error !== undefined) throw this.#end.error;
          break;
        } else {
          await this.#news.promise;
        }
      }
    } finally {
      this.#leave(place);
    }
    return undefined;
  }

  /** So many are consumed. */
  protected consume(count: number): void {
    const entries = this.entries.splice(0, count);
    for (const place of this.#places) place.done -= count;
    for (const { mark } of entries) this.#events.consumed(mark);
  }

  /** A reader is done with what it took: consumes what all are done with. */
  #settle(place: Place): void {
    const length = this.entries[place.done]?.items?.length ?? Infinity;
    if (place.part >= length) {
      place.done += 1;
      place.part = 0;
    }
    if (!this.isUnread) this.consume(Math.min(...Array.from(this.#places, ({ done }) => done)));
  }

  /** A reader leaves, done with what it took. */
  #leave(place: Place): void {
    this.#settle(place);
    if (!this.#places.delete(place)) return;
    this.#settle(place);
    if (this.isUnread) this.#events.rest?.();
    this.#wake();
  }

  #wake(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
