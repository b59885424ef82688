/**
 * Owns the conversation: its turns, kept in this browser, the same in every tab. A turn whose answer is
 * still being written is followed by each tab that shows it, from the same answer on the server. Refuses
 * to know how it looks.
 */
import { signal } from "@preact/signals";
import { newId } from "../new-id.js";
import { LiveAnswer } from "./live-answer.js";

/**
 * @typedef {object} Turn
 * @property {string} key names the question, so that every tab asks for the same answer
 * @property {string} question
 * @property {string} model
 * @property {"running" | "completed" | "stopped" | "failed" | "interrupted"} state
 * @property {string | undefined} [id] the answer's, once it is known
 * @property {string} text
 * @property {string} reasoning
 * @property {{ code: string, message: string } | undefined} [error]
 * @property {string | undefined} [finishReason]
 * @property {{ tokens: number, isEstimated: boolean } | undefined} [usage]
 */

const KEY = "sluice.conversation";
/** Turns that are kept: a demonstration's memory, far below what a browser stores. */
const KEPT = 30;

/** @type {import("@preact/signals").Signal<readonly Turn[]>} */
export const turns = signal(load());

let isStored = true;

/** Answers that this tab follows. @type {Map<string, LiveAnswer>} */
const live = new Map();

/** Keys of the questions that were asked here. @type {Set<string>} */
const own = new Set();

/** What is being written of a turn; undefined when it has ended. @param {string} key */
export function liveAnswer(key) {
  return live.get(key);
}

/** @type {import("@preact/signals").Signal<boolean>} */
export const isRunning = signal(false);

addEventListener("storage", ({ key }) => {
  if (key === KEY) adopt(load());
});
adopt(turns.value);

/**
 * @param {string} question
 * @param {string} model
 */
export function ask(question, model) {
  if (question.trim() === "" || isRunning.value) return;
  save([...turns.value, turnOf(question.trim(), model)]);
}

/** Asks the last question once more, as a new one. @param {string} model */
export function askAgain(model) {
  const last = turns.value.at(-1);
  if (last === undefined || isRunning.value) return;
  save([...turns.value.slice(0, -1), turnOf(last.question, model)]);
}

/** Ends the answer that is being written, for every tab. */
export function stop() {
  for (const answer of live.values()) void answer.stop();
}

/** Begins anew; what is still being written is stopped. */
export function forget() {
  stop();
  save([]);
}

/** @param {string} question @param {string} model @returns {Turn} */
function turnOf(question, model) {
  const key = newId();
  own.add(key);
  return { key, question, model, state: "running", text: "", reasoning: "" };
}

/** @param {readonly Turn[]} next */
function save(next) {
  const kept = next.slice(-KEPT);
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
    isStored = true;
  } catch {
    // No room for it: then it is this tab's alone.
    isStored = false;
  }
  adopt(kept);
}

/** Changes one turn; what another tab has written meanwhile stays. @param {string} key @param {Partial<Turn>} change */
function update(key, change) {
  const known = isStored ? load() : turns.value;
  if (!known.some((turn) => turn.key === key)) return;
  save(known.map((turn) => (turn.key === key ? { ...turn, ...change } : turn)));
}

/** Shows turns, and follows those that are being written. @param {readonly Turn[]} next */
function adopt(next) {
  for (const [key, answer] of live) {
    const turn = next.find((other) => other.key === key);
    if (turn?.state === "running") continue;
    live.delete(key);
    answer.close();
  }
  next.forEach((turn, index) => {
    if (turn.state !== "running" || live.has(turn.key)) return;
    const answer = new LiveAnswer(turn, next.slice(0, index), {
      isOwn: own.has(turn.key),
      onId: (id) => update(turn.key, { id }),
      onEnd: (ending) => update(turn.key, ending),
    });
    live.set(turn.key, answer);
  });
  isRunning.value = live.size > 0;
  turns.value = next;
}

/** @returns {readonly Turn[]} */
function load() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored : [];
  } catch {
    return [];
  }
}
