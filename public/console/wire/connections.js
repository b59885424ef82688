/**
 * Owns the list of what this page is connected to. Refuses to connect anything.
 */
import { signal } from "@preact/signals";

/**
 * What the client's surfaces have in common.
 *
 * @typedef {{
 *   readonly state: import("sluice/client").Observable<import("sluice/client").ConnectionState>,
 *   readonly position?: string | undefined,
 * }} Surface
 */

/**
 * @typedef {object} Connection
 * @property {string} name
 * @property {import("@preact/signals").Signal<import("sluice/client").ConnectionState>} state
 * @property {import("@preact/signals").Signal<number>} losses how often it was lost
 * @property {() => string | undefined} position
 */

/** @type {import("@preact/signals").Signal<readonly Connection[]>} */
export const connections = signal([]);

/**
 * Shows a surface; one that had the name before gives way.
 *
 * @param {string} name
 * @param {Surface} surface
 * @returns {Connection & { forget: () => void }}
 */
export function track(name, surface) {
  const state = signal(surface.state.get());
  const losses = signal(0);
  let isUp = false;
  const release = surface.state.onChange(() => {
    const next = surface.state.get();
    // An attempt that fails loses nothing.
    if (next.kind === "waiting" && isUp) losses.value += 1;
    isUp = next.kind === "live" || next.kind === "catching-up";
    state.value = next;
  });
  const connection = { name, state, losses, position: () => surface.position };
  connections.value = [...connections.value.filter((other) => other.name !== name), connection];
  const forget = () => {
    release();
    connections.value = connections.value.filter((other) => other !== connection);
  };
  return { ...connection, forget };
}

/**
 * A signal that follows an observable for as long as the page is open.
 *
 * @template T
 * @param {import("sluice/client").Observable<T>} observable
 * @returns {import("@preact/signals").Signal<T>}
 */
export function follow(observable) {
  const followed = signal(observable.get());
  observable.onChange(() => {
    followed.value = observable.get();
  });
  return followed;
}
