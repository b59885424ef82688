/**
 * Owns how many bytes lie between two positions near the head of a log. Refuses to know who reads.
 *
 * One running total is shared by all connections, so that what each has outstanding follows from two
 * positions, and nothing about it has to be kept while the object sleeps.
 */
import { MAX_CREDIT_MESSAGES } from "../../src/protocol/limits.ts";

/** Flushes remembered. Half of them are kept at least, and a window holds no more messages than that. */
export const MAX_FLUSHES = 2 * MAX_CREDIT_MESSAGES;

export class SizeIndex {
  /** Position after which a flush begins, and the running total there. */
  #starts: { readonly after: number; readonly total: number }[] = [];
  #head: number;
  #total: number;

  /**
   * @param head the log's last position, from which on flushes are recorded.
   * @param total bytes that the log has held in all up to there.
   */
  constructor(head: number, total = 0) {
    this.#head = head;
    this.#total = total;
  }

  /** Takes up the newest flushes of a log that was written before, oldest first. */
  restore(
    flushes: Iterable<{ readonly first: number; readonly last: number; readonly bytes: number }>,
  ): void {
    const restored = [...flushes];
    this.#starts = [];
    this.#total -= restored.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { first, last, bytes } of restored) {
      this.#head = first - 1;
      this.record(last, bytes);
    }
  }

  /** The log begins anew after `head`, with `total` bytes before it. */
  restart(head: number, total = 0): void {
    this.#starts = [];
    this.#head = head;
    this.#total = total;
  }

  /** Notes a flush that ends at `last` and has this many bytes. */
  record(last: number, bytes: number): void {
    this.#starts.push({ after: this.#head, total: this.#total });
    // Dropping half at a time keeps the cost of forgetting constant.
    if (this.#starts.length > MAX_FLUSHES) this.#starts = this.#starts.slice(MAX_FLUSHES / 2);
    this.#head = last;
    this.#total += bytes;
  }

  /**
   * Bytes after position `after` up to and including `to`. A position inside a flush counts as the
   * flush's begin. Before the index's begin nothing is known and zero is assumed up to there, unless
   * the caller remembers what {@link totalAt} said of `after` when it was known.
   */
  between(after: number, to: number, remembered = Number.POSITIVE_INFINITY): number {
    return Math.max(0, this.#totalAt(to, true) - Math.min(this.totalAt(after), remembered));
  }

  /** Bytes that the log has held in all up to a position; up to the index's begin, for one before it. */
  totalAt(position: number): number {
    return this.#totalAt(position, false);
  }

  #totalAt(position: number, roundUp: boolean): number {
    if (position >= this.#head) return this.#total;
    let low = 0;
    let high = this.#starts.length;
    // The last start that is not after the position.
    while (low < high) {
      const middle = (low + high) >> 1;
      const start = this.#starts[middle];
      if (start !== undefined && start.after <= position) low = middle + 1;
      else high = middle;
    }
    const start = this.#starts[low - 1];
    if (start === undefined) return this.#starts.at(0)?.total ?? this.#total;
    if (!roundUp || start.after === position) return start.total;
    return this.#starts[low]?.total ?? this.#total;
  }
}
