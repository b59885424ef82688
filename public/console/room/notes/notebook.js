/**
 * Owns the notes of a room: the shared document, the field that it is written in and the carets of all who write. It comes with
 * Yjs, so it is loaded when it is needed. Refuses to know how it looks.
 */
import { computed, signal } from "@preact/signals";
import { openDocument } from "sluice/yjs";
import * as Y from "yjs";
import { BoundField } from "./bound-field.js";
import { encodeCaret } from "./caret.js";
import { forgetDraft, keepDraft, readDraft } from "./draft.js";
import { Others } from "./others.js";

/** What other programs look for when they want the same notes. */
const DOCUMENT = "notes";
const TEXT = "text";

/** @typedef {readonly import("./pieces.js").Placed[]} Carets */

export class Notebook {
  /** Where the document stands. @type {import("@preact/signals").Signal<import("sluice/yjs").DocumentState>} */
  state;
  /** Whether the text was here once: what is written before that would stand beside it. */
  #isLoaded = signal(false);
  isWritable = computed(() => this.#isLoaded.value && this.state.value.kind !== "closed");
  /** The others' carets, and the text they stand in. */
  others = signal({ text: "", carets: /** @type {Carets} */ ([]) });
  #visit;
  #doc = new Y.Doc();
  #document;
  #field;
  #others = new Others();
  /** What the others were shown last. */
  #shown = "undefined";
  #over = new AbortController();
  /** @type {(() => void)[]} */
  #undo;

  /**
   * @param {import("../visit.js").Visit} visit
   * @param {HTMLTextAreaElement} field
   */
  constructor(visit, field) {
    this.#visit = visit;
    const draft = readDraft(visit.name);
    if (draft !== undefined) {
      Y.applyUpdate(this.#doc, draft);
      this.#isLoaded.value = true;
    }
    this.#document = openDocument(visit.options, visit.room, DOCUMENT, this.#doc);
    this.state = signal(this.#document.state.get());
    this.#field = new BoundField(field, this.#doc, TEXT, () => this.#look());
    this.#undo = [
      this.#document.state.onChange(() => this.#stand()),
      visit.presence.subscribe(() => this.#look()),
    ];
    const { signal: over } = this.#over;
    addEventListener("pagehide", () => this.#keep(), { signal: over });
    document.addEventListener("visibilitychange", () => this.#keep(), { signal: over });
    this.#stand();
  }

  /** The visit is over, or its notes. */
  close() {
    this.#keep();
    this.#over.abort();
    for (const undo of this.#undo) undo();
    this.#field.stop();
    this.#doc.destroy();
  }

  #stand() {
    const state = this.#document.state.get();
    // What was left in the middle goes on at the next visit.
    if (state.kind === "closed") this.#keep();
    this.state.value = state;
    const isGone = state.kind === "closed" && state.because === "document_deleted";
    if (state.kind === "synced" || isGone) forgetDraft(this.#visit.name);
    if (["saving", "synced", "unsaved"].includes(state.kind)) this.#isLoaded.value = true;
  }

  /** What is not stored yet would be lost with the page. */
  #keep() {
    const { kind } = this.state.value;
    const isOpen = this.#isLoaded.value && kind !== "synced" && kind !== "closed";
    if (isOpen) keepDraft(this.#visit.name, Y.encodeStateAsUpdate(this.#doc));
  }

  /** The text is another one, or somebody's caret is elsewhere. */
  #look() {
    this.#show();
    const { members } = this.#visit.presence.value;
    const { shown } = this.#field;
    const carets = this.#others.find(
      shown,
      members.filter(({ member }) => member !== this.#visit.member),
    );
    this.others.value = { text: carets.length === 0 ? "" : shown.toJSON(), carets };
  }

  /** Shows the others one's own caret. */
  #show() {
    const { caret } = this.#field;
    const encoded = caret && encodeCaret(caret);
    if (String(encoded) === this.#shown) return;
    this.#shown = String(encoded);
    this.#visit.showCaret(encoded);
  }
}
