/**
 * Owns what React reads of a surface: a snapshot that is replaced, and a surface that is open while some
 * component is mounted. Refuses to know React and the surfaces.
 */
import type { Unsubscribe } from "../state.ts";
import { guard } from "../store.ts";

export abstract class SurfaceStore<Snapshot> {
  readonly #listeners = new Set<() => void>();
  readonly #forget: () => void;
  #snapshot: Snapshot;
  #close: Unsubscribe | undefined;

  /** @param forget called when nobody is left. */
  constructor(initial: Snapshot, forget: () => void = () => {}) {
    this.#snapshot = initial;
    this.#forget = forget;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Opens the surface, or opens it again where it was; returns what closes it. */
  protected abstract open(): Unsubscribe;

  /** Tells everyone. */
  protected show(change: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    const listeners = [...this.#listeners];
    for (const listener of listeners) guard(listener);
  }

  attach(listener: () => void): Unsubscribe {
    // The same function may be given twice, and be taken back once.
    const own = (): void => {
      listener();
    };
    this.#listeners.add(own);
    this.#settleSoon();
    return () => {
      this.#listeners.delete(own);
      this.#settleSoon();
    };
  }

  /** After all effects of a turn: StrictMode takes every one back and runs it again. */
  #settleSoon(): void {
    queueMicrotask(() => {
      const isWanted = this.#listeners.size > 0;
      if (isWanted) this.#close ??= this.open();
      if (isWanted || this.#close === undefined) return;
      this.#close();
      this.#close = undefined;
      this.#forget();
    });
  }
}
