/**
 * Owns what was received and not yet consumed: one queue, several readers, each with a place of its
 * own. What all readers are done with is consumed, and said so, which is what lets more come. Refuses
 * to know what items are, and what the marks mean that say how far a log is read with them.
 */
import { Reader } from "./reader.ts";

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

export class Inbox<Item, Mark> {
  readonly #events: InboxEvents<Mark>;
  readonly #readers = new Set<Reader<Item>>();
  protected readonly entries: Entry<Item, Mark>[] = [];
  /** How many came before the first of `entries`. */
  #base = 0;
  /** Set when nothing follows what is here. */
  end: { readonly error: Error | undefined } | undefined;
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
    return this.#readers.size === 0;
  }

  /**
   * Adds an item, or the promise of one, which never rejects and keeps its place. Its mark says what is read
   * when it is consumed; without one it is part of the next.
   */
  push(item: Item | Promise<Item>, mark: Mark | undefined): void {
    if (this.end !== undefined) return;
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
    this.end ??= { error };
    this.#wake();
  }

  /** Readers end now, whatever is here. */
  close(): void {
    this.#isClosed = true;
    this.end = { error: undefined };
    this.#wake();
  }

  /**
   * Forgets what no reader has begun with, which whoever fills this can get again. The mark of the last
   * that stays; undefined when nothing does.
   */
  rewind(): Mark | undefined {
    let next = this.#base;
    for (const reader of this.#readers) next = Math.max(next, reader.next);
    let length = next - this.#base;
    // What was begun has to be whole.
    while (length > 0 && length < this.entries.length && this.#markBefore(length) === undefined) {
      length += 1;
    }
    this.entries.length = length;
    return length === 0 ? undefined : this.#markBefore(length);
  }

  /** A place in the queue: the first reader's before everything, a later one's before what is to come. */
  attach(): Reader<Item> {
    const isFirst = this.isUnread;
    const at = isFirst ? this.#base : this.#base + this.entries.length;
    const reader = new Reader<Item>(this, at);
    this.#readers.add(reader);
    if (isFirst) this.#events.wanted();
    return reader;
  }

  /** For readers: what is at a place. */
  at(place: number): { readonly item: Item | undefined } | undefined {
    return this.#isClosed ? undefined : this.entries[place - this.#base];
  }

  /** For readers: one is gone. */
  detach(reader: Reader<Item>): void {
    if (!this.#readers.delete(reader)) return;
    this.settle();
    if (this.isUnread) this.#events.unwanted?.();
  }

  /** For readers: one is done with more. */
  settle(): void {
    let done = Infinity;
    for (const reader of this.#readers) done = Math.min(done, reader.done);
    if (Number.isFinite(done)) this.consume(done - this.#base);
  }

  #markBefore(length: number): Mark | undefined {
    return this.entries[length - 1]?.mark;
  }

  /** So many are consumed. */
  protected consume(count: number): void {
    if (count <= 0) return;
    const entries = this.entries.splice(0, count);
    this.#base += entries.length;
    for (const { mark } of entries) this.#events.consumed(mark);
    if (this.isEmpty) this.#events.drained?.();
  }

  #wake(): void {
    for (const reader of this.#readers) reader.wake();
  }
}
