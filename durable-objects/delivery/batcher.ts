/**
 * Owns when things that are said one by one leave together. Refuses to know what they are.
 *
 * The first item after a pause leaves at once: who is alone waits for nobody. Items that follow
 * within the delay wait for its end, or until there is a frame's worth of them (P2). The end is told by
 * a timer and not by the clock, because it comes late when flushing keeps the event loop busy.
 */
import type { Clock } from "../../src/stream/clock.ts";

interface BatcherOptions<T> {
  readonly clock: Clock;
  /** Milliseconds between two flushes under load, and the longest an item waits. */
  readonly delayMs: number;
  /** Bytes at which a batch leaves before its time. */
  readonly maxBytes: number;
  readonly flush: (items: readonly T[]) => void;
  /** Whether a flush costs so much that what may still come is worth waiting for; never, when left out. */
  readonly isCostly?: () => boolean;
  /** Whether a flush goes on after `flush` has returned, until {@link Batcher.left}; never, when left out. */
  readonly isUnderWay?: () => boolean;
}

/** `beginning` while `flush` runs, `leaving` until what it began has left. */
type Phase = "idle" | "beginning" | "leaving";

export class Batcher<T> implements Disposable {
  readonly #options: BatcherOptions<T>;
  #items: T[] = [];
  #bytes = 0;
  /** When the last flush began. */
  #flushedAt = 0;
  #phase: Phase = "idle";
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

  /** Lets what waits leave: now after a pause, else with what follows within the delay. */
  settle(): void {
    if (this.#disarm === undefined && this.#phase === "idle") this.flush();
  }

  /** Lets everything that waits leave now. */
  flush(): void {
    // The pause after the flush before goes on: what follows is not the first after it.
    if (this.#items.length === 0) return;
    const { clock, flush, isUnderWay } = this.#options;
    const items = this.#items;
    this.#items = [];
    this.#bytes = 0;
    this.#stopWaiting();
    this.#flushedAt = clock.now();
    this.#phase = "beginning";
    try {
      flush(items);
    } finally {
      this.#phase = "leaving";
      // Also after one that failed: what is said next must not wait for its end.
      if (isUnderWay?.() !== true) this.left();
    }
  }

  /** The last flush has left as a whole. */
  left(): void {
    // One that begins lets the one before it leave: that is not its own end.
    if (this.#phase !== "leaving") return;
    this.#phase = "idle";
    this.#stopWaiting();
    this.#arm(this.#flushedAt);
  }

  [Symbol.dispose](): void {
    this.#stopWaiting();
  }

  #stopWaiting(): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }

  /**
   * Armed although nothing waits yet: sending to a thousand takes longer than the delay, and who looked
   * at the clock then would take the next item for the first after a pause.
   */
  #arm(since: number): void {
    const { clock, delayMs } = this.#options;
    const due = since + delayMs;
    this.#disarm = clock.after(Math.max(0, due - clock.now()), () => {
      this.#disarm = undefined;
      if (this.#items.length > 0) this.flush();
      // So late, it tells of a busy event loop and not of a pause: what was said meanwhile is still to come.
      else if (clock.now() - due > delayMs && this.#options.isCostly?.() === true) {
        this.#arm(clock.now());
      }
    });
  }
}
