/**
 * Owns how many bytes a log has held up to each position near its head. Refuses to know who reads.
 *
 * One running total is shared by all connections, so that a flush costs nothing for each of them.
 */
import { MAX_CREDIT_MESSAGES } from "../../src/protocol/limits.ts";
import type { Mark } from "./outstanding.ts";

/** Flushes remembered. Half of them are kept at least, and a window holds no more messages than that. */
export const MAX_FLUSHES = 2 * MAX_CREDIT_MESSAGES;

export class SizeIndex {
  /** Where each flush begins. */
  #starts: Mark[] = [];
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
    this.#starts.push({ seq: this.#head, total: this.#total });
    // Dropping half at a time keeps the cost of forgetting constant.
    if (this.#starts.length > MAX_FLUSHES) this.#starts = this.#starts.slice(MAX_FLUSHES / 2);
    this.#head = last;
    this.#total += bytes;
  }

  /** Bytes that the log has held in all. */
  get total(): number {
    return this.#total;
  }

  /** Bytes after position `after` up to and including `to`; undefined when it was forgotten what lies there. */
  between(after: number, to: number): number | undefined {
    const begin = this.#starts[0]?.seq ?? this.#head;
    return after < begin ? undefined : this.markAt(to).total - this.markAt(after).total;
  }

  /**
   * How many bytes the log had held in all up to a position. Inside a flush each entry counts alike;
   * before the index's begin each counts alike from `floor` on, or nothing when none is given: a guess, made
   * only when a log was trimmed while its object slept, and wrong by what was outstanding at most.
   */
  markAt(seq: number, floor?: Mark): Mark {
    if (seq >= this.#head) return { seq, total: this.#total };
    let low = 0;
    let high = this.#starts.length;
    // The last start that is not after the position.
    while (low < high) {
      const middle = (low + high) >> 1;
      const start = this.#starts[middle];
      if (start !== undefined && start.seq <= seq) low = middle + 1;
      else high = middle;
    }
    const end = this.#starts[low] ?? { seq: this.#head, total: this.#total };
    const start = this.#starts[low - 1] ?? floor ?? { seq, total: end.total };
    if (seq <= start.seq) return { seq, total: start.total };
    const share = (seq - start.seq) / (end.seq - start.seq);
    return { seq, total: start.total + (end.total - start.total) * share };
  }
}
