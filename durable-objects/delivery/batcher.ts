/**
 * Owns when things that are said one by one leave together. Refuses to know what they are.
 *
 * The first item after a pause leaves at once: who is alone waits for nobody. Items that follow
 * within the delay wait for its end, or until there is a frame's worth of them (P2).
 */
import type { Clock } from "../../src/stream/clock.ts";

interface BatcherOptions<T> {
  readonly clock: Clock;
  /** Milliseconds between two flushes under load, and the longest an item waits. */
  readonly delayMs: number;
  /** Bytes at which a batch leaves before its time. */
  readonly maxBytes: number;
  readonly flush: (items: readonly T[]) => void;
}

export class Batcher<T> implements Disposable {
  readonly #options: BatcherOptions<T>;
  #items: T[] = [];
  #bytes = 0;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #disarm: (() => void) | undefined;

  constructor(options: BatcherOptions<T>) {
    this.#options = options;
  }

  /** Items that wait. */
  get pending(): number {
    return this.#items.length;
  }

  /** Bytes that wait. */
  get pendingBytes(): number {
    return this.#bytes;
  }

  /** Takes an item of this many bytes; it leaves now or within the delay. */
  add(item: T, bytes: number): void {
    this.hold(item, bytes);
    this.settle();
  }

  /** Takes an item that others follow in this turn, and then {@link settle}: they leave together. */
  hold(item: T, bytes: number): void {
    this.#items.push(item);
    this.#bytes += bytes;
    if (this.#bytes >= this.#options.maxBytes) this.flush();
  }

  /** Lets what waits leave now or within the delay. */
  settle(): void {
    if (this.#items.length === 0) return;
    const { clock, delayMs } = this.#options;
    const due = this.#flushedAt + delayMs;
    const now = clock.now();
    if (now >= due) {
      this.flush();
      return;
    }
    // A clock that was set back must not make anybody wait longer than the delay.
    this.#disarm ??= clock.after(Math.min(due - now, delayMs), () => {
      this.flush();
    });
  }

  /** Lets everything that waits leave now. */
  flush(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    this.#flushedAt = this.#options.clock.now();
    this.#options.flush(items);
  }

  [Symbol.dispose](): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }
}
