/**
 * Owns a visit to a room: who is here, what was said, what this member shows and what waits to be sent.
 * Refuses to know how it looks.
 */
import { signal } from "@preact/signals";
import { indexedDbOutbox } from "sluice/client/indexed-db";
import { newId } from "../new-id.js";
import { client } from "../session.js";
import { noticeRefusal } from "../token.js";
import { follow, track } from "../wire/connections.js";

/** Messages on the page; all others are still in the room. */
const SHOWN = 100;

/** Messages that a visit begins with. */
const HISTORY = 30;

/** Milliseconds between two positions that are told of a pointer: smooth to see, and far below the room's limit. */
const POINTER_MS = 80;

/** Milliseconds without a key after which nobody is typing any more. */
const TYPING_MS = 2_500;

/**
 * What a member shows the others.
 *
 * @typedef {{ x?: number, y?: number, isTyping?: boolean }} Shown
 * @typedef {{ id: string, sender: string, at: number, text: string, isWaiting: boolean }} Said
 */

export class Visit {
  /** @type {import("@preact/signals").Signal<readonly Said[]>} */
  said = signal([]);
  /** What was lost, in words. */
  gap = signal("");
  presence;
  waiting;
  state;
  #room;
  #tracked;
  /** @type {Shown} */
  #shown = {};
  #pointerTimer = 0;
  #typingTimer = 0;

  /**
   * @param {string} name
   * @param {string} member
   */
  constructor(name, member) {
    // What waits to be sent survives a reload, where a browser can keep it.
    const outbox = "indexedDB" in globalThis ? { storage: indexedDbOutbox() } : {};
    this.#room = client().room(name, { member, history: HISTORY, presence: {}, outbox });
    this.#tracked = track(`room ${name}`, this.#room);
    this.state = this.#tracked.state;
    this.presence = follow(this.#room.presence);
    this.waiting = follow(this.#room.outbox.size);
    this.#room.subscribe((item) => this.#take(item));
    this.#room.join().catch((error) => noticeRefusal(error?.code));
  }

  /** The name that the server knows this member by. */
  get member() {
    return this.#room.member;
  }

  /** @param {string} text */
  say(text) {
    const id = newId();
    const sender = this.member ?? "";
    this.#keep({ id, sender, at: Date.now(), text, isWaiting: true });
    this.showTyping(false);
    this.#room.publish("chat", { text }, { id }).catch((error) => {
      this.said.value = this.said.value.filter((one) => one.id !== id);
      this.gap.value = error instanceof Error ? error.message : "It could not be sent.";
    });
  }

  /** Shows where this member points, in parts of the board. @param {number} x @param {number} y */
  point(x, y) {
    const round = (/** @type {number} */ part) =>
      Math.round(Math.min(1, Math.max(0, part)) * 1000) / 1000;
    this.#shown = { ...this.#shown, x: round(x), y: round(y) };
    this.#pointerTimer ||= setTimeout(() => {
      this.#pointerTimer = 0;
      this.#room.show(this.#shown);
    }, POINTER_MS);
  }

  /** The pointer has left the board. */
  pointAway() {
    if (this.#shown.x === undefined) return;
    clearTimeout(this.#pointerTimer);
    this.#pointerTimer = 0;
    const { x: _x, y: _y, ...rest } = this.#shown;
    this.#shown = rest;
    this.#room.show(this.#shown);
  }

  /** @param {boolean} isTyping */
  showTyping(isTyping) {
    clearTimeout(this.#typingTimer);
    if (isTyping) this.#typingTimer = setTimeout(() => this.showTyping(false), TYPING_MS);
    if ((this.#shown.isTyping ?? false) === isTyping) return;
    this.#shown = { ...this.#shown, isTyping };
    this.#room.show(this.#shown);
  }

  /** Leaves for good. */
  leave() {
    clearTimeout(this.#pointerTimer);
    clearTimeout(this.#typingTimer);
    this.#room.leave();
    this.#tracked.forget();
  }

  /** @param {import("sluice/client").RoomItem} item */
  #take(item) {
    if (item.kind === "gap") {
      this.gap.value = `Messages are missing here: ${item.reason}.`;
      return;
    }
    if (item.kind === "invalid") return;
    const { id, sender, at, payload } = item;
    const text = /** @type {{ text?: unknown } | null} */ (payload)?.text;
    if (typeof text === "string") this.#keep({ id, sender, at, text, isWaiting: false });
  }

  /** What the server says takes the place of what waited. @param {Said} one */
  #keep(one) {
    const others = this.said.value.filter(({ id }) => id !== one.id);
    const waiting = others.filter(({ isWaiting }) => isWaiting);
    const stored = others.filter(({ isWaiting }) => !isWaiting);
    const next = one.isWaiting ? [...stored, ...waiting, one] : [...stored, one, ...waiting];
    this.said.value = next.slice(-SHOWN);
  }
}
