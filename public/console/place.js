/**
 * Owns the place in the console that the address names: `#topics?job=job:7`. A reload, and whoever is
 * given the address, sees the same. Refuses to know what is there.
 */
import { signal } from "@preact/signals";

export const PANELS = /** @type {const} */ (["chat", "topics", "room", "wire"]);

/** @typedef {(typeof PANELS)[number]} Panel */

/** @type {import("@preact/signals").Signal<{ panel: Panel, query: URLSearchParams }>} */
export const place = signal(read());

addEventListener("hashchange", () => {
  place.value = read();
});

/** @returns {{ panel: Panel, query: URLSearchParams }} */
function read() {
  const [name = "", query = ""] = location.hash.slice(1).split("?");
  return {
    panel: PANELS.find((panel) => panel === name) ?? "chat",
    query: new URLSearchParams(query),
  };
}

/** @param {Panel} panel */
export function goTo(panel) {
  const { query } = place.value;
  write(panel, query);
}

/**
 * Remembers something in the address.
 *
 * @param {string} key
 * @param {string} value
 */
export function keepInAddress(key, value) {
  const query = new URLSearchParams(place.value.query);
  query.set(key, value);
  write(place.value.panel, query);
}

/** @param {Panel} panel @param {URLSearchParams} query */
function write(panel, query) {
  const tail = query.size === 0 ? "" : `?${query}`.replaceAll("%3A", ":");
  history.replaceState(null, "", `#${panel}${tail}`);
  place.value = { panel, query };
}
