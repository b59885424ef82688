/**
 * Owns which components read the same: they share one surface and its connection. Refuses to know what
 * they read.
 */
import type { Client } from "../types.ts";

const registries = new WeakMap<Client, Map<string, unknown>>();

/**
 * The store of this key, made if nobody has one. To be asked when a component is mounted, never while it
 * renders: what renders may never be mounted, and on a server never is.
 *
 * @param make given what forgets the store.
 */
export function sharedStore<Made>(
  client: Client,
  key: string,
  make: (forget: () => void) => Made,
): Made {
  const stores = registries.get(client) ?? new Map<string, unknown>();
  registries.set(client, stores);
  // Keys begin with the kind of the store.
  const known = stores.get(key) as Made | undefined;
  if (known !== undefined) return known;
  const made = make(() => {
    if (stores.get(key) === made) stores.delete(key);
  });
  stores.set(key, made);
  return made;
}
