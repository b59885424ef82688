/**
 * Owns how much an inbox keeps while nobody reads: beyond it the oldest items go, which the next reader is told.
 * Refuses to know how much that is.
 */
import { Inbox, type InboxEvents } from "../flow/inbox.ts";

/** What a bounded inbox asks whoever fills it, besides what it tells. */
export interface InboxBounds<Item, Mark> extends InboxEvents<Mark> {
  /** Whether so many items are too many to keep while nobody reads. */
  isTooMuch(count: number): boolean;
  /** What is told instead of the items that went, given the first's and the last's marks. */
  replaceLost(first: Mark, last: Mark): Item;
}

export class BoundedInbox<Item, Mark> extends Inbox<Item, Mark> {
  readonly #bounds: InboxBounds<Item, Mark>;
  #lost: { readonly first: Mark; readonly last: Mark } | undefined;

  constructor(bounds: InboxBounds<Item, Mark>) {
    super({
      consumed: (mark) => {
        bounds.consumed(mark);
      },
      start: () => {
        this.#tellLost();
        bounds.start();
      },
    });
    this.#bounds = bounds;
  }

  /** Whether everything that came is consumed. */
  get isEmpty(): boolean {
    return this.entries.length === 0;
  }

  override push(items: readonly Item[] | Promise<readonly Item[]>, mark: Mark): void {
    super.push(items, mark);
    while (this.isUnread && this.#bounds.isTooMuch(this.entries.length)) {
      const [oldest] = this.entries;
      if (oldest === undefined) return;
      this.#lost = { first: this.#lost?.first ?? oldest.mark, last: oldest.mark };
      this.consume(1);
    }
  }

  #tellLost(): void {
    if (this.#lost === undefined) return;
    const { first, last } = this.#lost;
    this.entries.unshift({ items: [this.#bounds.replaceLost(first, last)], mark: last });
    this.#lost = undefined;
  }
}
