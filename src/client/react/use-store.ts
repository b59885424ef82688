/** Owns how a component reads a store that is there only while it is mounted. Refuses to know which. */
import { useMemo, useSyncExternalStore } from "react";
import type { Unsubscribe } from "../state.ts";
import type { SurfaceStore } from "./surface-store.ts";

/** A component's hold on a store. */
export class Hold<Snapshot, Store extends SurfaceStore<Snapshot>> {
  readonly #find: () => Store;
  readonly #initial: Snapshot;
  #store: Store | undefined;

  constructor(find: () => Store, initial: Snapshot) {
    this.#find = find;
    this.#initial = initial;
  }

  /** Undefined before the component is mounted. */
  get store(): Store | undefined {
    return this.#store;
  }

  readonly subscribe = (listener: () => void): Unsubscribe => {
    this.#store = this.#find();
    return this.#store.attach(listener);
  };

  readonly getSnapshot = (): Snapshot => this.#store?.snapshot ?? this.#initial;

  readonly getServerSnapshot = (): Snapshot => this.#initial;
}

/** The snapshot, and the hold, which stays the same as long as `keys` do. */
export function useStore<Snapshot, Store extends SurfaceStore<Snapshot>>(
  find: () => Store,
  initial: Snapshot,
  keys: readonly unknown[],
): readonly [Snapshot, Hold<Snapshot, Store>] {
  const hold = useMemo(() => new Hold<Snapshot, Store>(find, initial), keys);
  const snapshot = useSyncExternalStore(hold.subscribe, hold.getSnapshot, hold.getServerSnapshot);
  return [snapshot, hold];
}
