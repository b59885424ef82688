/**
 * Owns the switch that cuts the network of this page's client. Refuses to know what travels over it.
 */
import { signal } from "@preact/signals";
import { note } from "./records.js";

/** Whether anything gets through. */
export const isNetworkOn = signal(true);

/** @type {Set<() => void>} */
const breaks = new Set();

/**
 * Calls `task` when the network is cut.
 *
 * @param {() => void} task
 * @returns {() => void} takes it back
 */
export function onCut(task) {
  breaks.add(task);
  return () => breaks.delete(task);
}

/** Breaks every connection, and lets none begin. */
export function cutNetwork() {
  if (!isNetworkOn.value) return;
  isNetworkOn.value = false;
  note("network", "cut", "Everything open breaks; nothing new gets through.");
  for (const task of breaks) task();
  breaks.clear();
}

/** Lets everything through again, and says so as a browser does when its network returns. */
export function restoreNetwork() {
  if (isNetworkOn.value) return;
  isNetworkOn.value = true;
  note("network", "restored", "Whoever waits may try at once.");
  dispatchEvent(new Event("online"));
}
