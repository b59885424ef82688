/**
 * Owns the switch that cuts the network of this page's client, and of its other tabs: they share connections,
 * so that one alone would not notice. Refuses to know what travels over it.
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

/** Other tabs of this page. */
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("sluice.network") : undefined;
tabs?.addEventListener("message", ({ data }) => {
  if (data === "cut") cut();
  if (data === "restored") restore();
  // A tab that has just been opened.
  if (data === "is it on?" && !isNetworkOn.value) tabs.postMessage("cut");
});
tabs?.postMessage("is it on?");

/** Breaks every connection, and lets none begin, in all tabs. */
export function cutNetwork() {
  cut();
  tabs?.postMessage("cut");
}

/** Lets everything through again, in all tabs. */
export function restoreNetwork() {
  restore();
  tabs?.postMessage("restored");
}

function cut() {
  if (!isNetworkOn.value) return;
  isNetworkOn.value = false;
  note("network", "cut", "Everything open breaks; nothing new gets through.");
  for (const task of breaks) task();
  breaks.clear();
}

/** Says so as a browser does when its network returns. */
function restore() {
  if (isNetworkOn.value) return;
  isNetworkOn.value = true;
  note("network", "restored", "Whoever waits may try at once.");
  dispatchEvent(new Event("online"));
}
