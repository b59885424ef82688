/**
 * Owns the record of what went over the wire, the newest only. What comes between two frames of
 * animation is shown at once. Refuses to know how it is read and shown.
 */
import { signal } from "@preact/signals";

/** Records kept: what a person may still scroll through. */
const KEPT = 400;

/**
 * @typedef {object} WireRecord
 * @property {number} n counts up, and is never given twice
 * @property {number} at milliseconds since 1970
 * @property {"in" | "out" | "note"} direction
 * @property {string} channel which connection: a method and a path
 * @property {string} kind the frame's, event's or request's name
 * @property {string} summary one line
 * @property {string | undefined} position
 * @property {number} bytes
 * @property {unknown} detail all of it
 */

/** @type {import("@preact/signals").Signal<readonly WireRecord[]>} */
export const records = signal([]);

/** How much there was since the page was opened. */
export const totals = signal({ in: 0, out: 0, bytesIn: 0, bytesOut: 0 });

export const isPaused = signal(false);

/** @type {WireRecord[]} */
let pending = [];
let count = 0;
let counted = totals.peek();
let isDue = false;

/** @param {Omit<WireRecord, "n" | "at" | "position"> & { position?: string | undefined }} record */
export function record({ position, ...rest }) {
  count += 1;
  const { direction, bytes } = rest;
  if (direction === "in") {
    counted = { ...counted, in: counted.in + 1, bytesIn: counted.bytesIn + bytes };
  } else if (direction === "out") {
    counted = { ...counted, out: counted.out + 1, bytesOut: counted.bytesOut + bytes };
  }
  pending.push({ n: count, at: Date.now(), position, ...rest });
  if (pending.length > KEPT) pending = pending.slice(-KEPT);
  if (isDue) return;
  isDue = true;
  // A tab in the background has no frames of animation, and nobody who looks.
  requestAnimationFrame(show);
}

function show() {
  isDue = false;
  totals.value = counted;
  if (isPaused.value) return;
  records.value = [...records.value, ...pending].slice(-KEPT);
  pending = [];
}

/** @param {boolean} paused */
export function setPaused(paused) {
  isPaused.value = paused;
  if (!paused) show();
}

export function clearRecords() {
  pending = [];
  records.value = [];
}

/**
 * Records something that happened to a connection and is no message.
 *
 * @param {string} channel
 * @param {string} kind
 * @param {string} summary
 */
export function note(channel, kind, summary) {
  record({ direction: "note", channel, kind, summary, bytes: 0, detail: summary });
}
