/** Owns a value that others watch. Refuses to know what it means. */
import type { Observable, Unsubscribe } from "./state.ts";

export class Store<Value> implements Observable<Value> {
  #value: Value;
  readonly #listeners = new Set<() => void>();

  constructor(value: Value) {
    this.#value = value;
  }

  get(): Value {
    return this.#value;
  }

  onChange(listener: () => void): Unsubscribe {
    // The same function may be given twice, and be taken back once.
    const own = (): void => {
      listener();
    };
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  /** Replaces the value and tells everyone, if it is another one. */
  set(value: Value): void {
    if (value === this.#value) return;
    this.#value = value;
    // Who comes while they are told has seen the new value already.
    const listeners = [...this.#listeners];
    for (const listener of listeners) guard(listener);
  }
}

/** Resolves with the value as soon as it is as wanted. */
export function until<Value>(
  store: Observable<Value>,
  isWanted: (value: Value) => boolean,
): Promise<Value> {
  return new Promise((resolve) => {
    const look = (): void => {
      const value = store.get();
      if (!isWanted(value)) return;
      stop();
      resolve(value);
    };
    const stop = store.onChange(look);
    look();
  });
}

/** Runs the application's code; what it throws is its own to handle and harms nobody else. */
export function guard(run: () => void): void {
  try {
    run();
  } catch (error) {
    throwLater(error);
  }
}

/** Lets an error of the application's surface as any uncaught error does. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
