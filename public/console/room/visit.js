/**
 * Owns a visit to a room: who is here, what was said, what this member shows and what waits to be sent.
 * Refuses to know how it looks.
 */
import { signal } from "@preact/signals";
import { indexedDbOutbox } from "sluice/client/indexed-db";
import { newId } from "../new-id.js";
import { client, clientOptions } from "../session.js";
import { noticeRefusal } from "../token.js";
import { follow, track } from "../wire/connections.js";
import { lasting } from "./lasting.js";

/** Messages on the page; all others are still in the room. */
const SHOWN = 100;

/** Messages that a visit begins with. Most are a few letters of the notes, of which nobody sees anything here. */
const HISTORY = 500;

/** Milliseconds between two positions that are told of a pointer or a caret: smooth to see, and far below the room's limit. */
const POINTER_MS = 80;

/** Milliseconds after which what is not sent is waiting: each letter of the notes is on its way for a moment. */
const WAITING_MS = 300;

/** Milliseconds without a key after which nobody is typing any more. */
const TYPING_MS = 2_500;

/**
 * What a member shows the others.
 *
 * @typedef {{ x?: number, y?: number, isTyping?: boolean, caret?: readonly Uint8Array[] }} Shown
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
  room;
  /** Of the client that the room is of. */
  options = clientOptions();
  /** What has something to say yet. */
  beforeLeaving = () => {};
  #tracked;
  /** @type {Shown} */
  #shown = {};
  #showTimer = 0;
  #typingTimer = 0;

  /**
   * @param {string} name
   * @param {string} member
   */
  constructor(name, member) {
    // What waits to be sent survives a reload, where a browser can keep it.
    const outbox = "indexedDB" in globalThis ? { storage: indexedDbOutbox() } : {};
    this.room = client().room(name, { member, history: HISTORY, presence: {}, outbox });
    this.#tracked = track(`room ${name}`, this.room);
    this.state = this.#tracked.state;
    this.presence = follow(this.room.presence);
    this.waiting = lasting(this.room.outbox.size, WAITING_MS);
    this.room.subscribe((item) => this.#take(item));
    this.room.join().catch((error) => noticeRefusal(error?.code));
  }

  /** The name that the server knows this member by. */
  get member() {
    return this.room.member;
  }

  get name() {
    return this.room.name;
  }

  /** @param {string} text */
  say(text) {
    const id = newId();
    const sender = this.member ?? "";
    this.#keep({ id, sender, at: Date.now(), text, isWaiting: true });
    this.showTyping(false);
    this.room.publish("chat", { text }, { id }).catch((error) => {
      this.said.value = this.said.value.filter((one) => one.id !== id);
      this.gap.value = error instanceof Error ? error.message : "It could not be sent.";
    });
  }

  /** Shows where this member points, in parts of the board. @param {number} x @param {number} y */
  point(x, y) {
    const round = (/** @type {number} */ part) =>
      Math.round(Math.min(1, Math.max(0, part)) * 1000) / 1000;
    this.#shown = { ...this.#shown, x: round(x), y: round(y) };
    this.#showSoon();
  }

  /** Shows where this member's caret is in the notes; undefined: nowhere. @param {readonly Uint8Array[] | undefined} caret */
  showCaret(caret) {
    const { caret: _caret, ...rest } = this.#shown;
    this.#shown = caret === undefined ? rest : { ...rest, caret };
    this.#showSoon();
  }

  /** The pointer has left the board. */
  pointAway() {
    if (this.#shown.x === undefined) return;
    clearTimeout(this.#showTimer);
    this.#showTimer = 0;
    const { x: _x, y: _y, ...rest } = this.#shown;
    this.#shown = rest;
    this.room.show(this.#shown);
  }

  /** @param {boolean} isTyping */
  showTyping(isTyping) {
    clearTimeout(this.#typingTimer);
    if (isTyping) this.#typingTimer = setTimeout(() => this.showTyping(false), TYPING_MS);
    if ((this.#shown.isTyping ?? false) === isTyping) return;
    this.#shown = { ...this.#shown, isTyping };
    this.room.show(this.#shown);
  }

  /** Leaves for good. */
  leave() {
    this.beforeLeaving();
    clearTimeout(this.#showTimer);
    clearTimeout(this.#typingTimer);
    this.room.leave();
    this.#tracked.forget();
  }

  #showSoon() {
    this.#showTimer ||= setTimeout(() => {
      this.#showTimer = 0;
      this.room.show(this.#shown);
    }, POINTER_MS);
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
