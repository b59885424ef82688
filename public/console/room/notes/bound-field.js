/**
 * Owns a text field that shows a shared text: what is typed becomes the smallest change of it, what others change comes into the
 * field, and the selection and the scrolling stay where they are. Refuses to know how the text is shared.
 */
import * as Y from "yjs";
import { caretOf, placeOf } from "./caret.js";
import { endOf, smallestChange } from "./change.js";

export class BoundField {
  #field;
  #doc;
  #name;
  #text;
  #undo;
  #changed;
  #over = new AbortController();
  /**
   * While something is composed the field is the input method's: others' changes wait, and what is typed is typed here.
   *
   * @type {Y.Doc | undefined}
   */
  #fork;
  #isComposing = false;
  /**
   * The selection before others change the text, or since the field lost the focus.
   *
   * @type {import("./caret.js").Caret | undefined}
   */
  #kept;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {Y.Doc} doc
   * @param {string} name of the text in it
   * @param {() => void} changed called when the field shows something else, or selects it
   */
  constructor(field, doc, name, changed) {
    this.#field = field;
    this.#doc = doc;
    this.#name = name;
    this.#text = doc.getText(name);
    this.#changed = changed;
    this.#undo = new Y.UndoManager(this.#text, { trackedOrigins: new Set([this]) });
    const { signal } = this.#over;
    field.addEventListener("input", () => this.#type(), { signal });
    field.addEventListener("beforeinput", (event) => this.#beforeInput(event), { signal });
    field.addEventListener("keydown", (event) => this.#press(event), { signal });
    field.addEventListener("compositionstart", () => (this.#isComposing = true), { signal });
    field.addEventListener("compositionend", () => this.#endComposing(), { signal });
    field.addEventListener("blur", () => this.#blur(), { signal });
    field.addEventListener("focus", () => this.#focus(), { signal });
    document.addEventListener("selectionchange", () => this.#hasFocus && changed(), { signal });
    doc.on("beforeTransaction", this.#before);
    this.#text.observe(this.#observe);
    this.#draw();
  }

  /** What the field shows: the text, or as it was before others changed it in the middle of a composition. */
  get shown() {
    return this.#fork?.getText(this.#name) ?? this.#text;
  }

  /** What is selected; undefined while the field has no focus. @returns {import("./caret.js").Caret | undefined} */
  get caret() {
    return this.#hasFocus ? this.#selected() : undefined;
  }

  /** Leaves the field as it is. */
  stop() {
    this.#over.abort();
    this.#doc.off("beforeTransaction", this.#before);
    this.#text.unobserve(this.#observe);
    this.#undo.destroy();
    this.#fork?.destroy();
  }

  get #hasFocus() {
    return document.activeElement === this.#field;
  }

  #selected() {
    const { selectionStart: start, selectionEnd: end, selectionDirection } = this.#field;
    const isBackward = selectionDirection === "backward";
    const selection = isBackward ? { anchor: end, head: start } : { anchor: start, head: end };
    return caretOf(this.shown, selection);
  }

  /** Somebody has typed, or dropped, or whatever else changes a field. */
  #type() {
    const { shown } = this;
    const { value, selectionEnd } = this.#field;
    const change = smallestChange(shown.toJSON(), value, selectionEnd);
    if (change === undefined) return;
    shown.doc?.transact(() => {
      shown.delete(change.at, change.removed);
      shown.insert(change.at, change.inserted);
    }, this);
    this.#changed();
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const { key, code, ctrlKey, metaKey, shiftKey, altKey } = event;
    if ((!ctrlKey && !metaKey) || altKey || event.isComposing) return;
    // Where the letters are others, it is the key at the same place.
    const letter = /^[a-z]$/i.test(key) ? key.toLowerCase() : code.slice(-1).toLowerCase();
    if (letter === "z") this.#revert(event, shiftKey);
    else if (letter === "y" && !shiftKey) this.#revert(event, true);
  }

  /** From a menu, or by shaking. @param {InputEvent} event */
  #beforeInput(event) {
    if (event.inputType === "historyUndo") this.#revert(event, false);
    else if (event.inputType === "historyRedo") this.#revert(event, true);
  }

  /** The field's own undo knows nothing of what others have changed meanwhile. @param {Event} event @param {boolean} isRedo */
  #revert(event, isRedo) {
    event.preventDefault();
    if (this.#field.readOnly) return;
    if (isRedo) this.#undo.redo();
    else this.#undo.undo();
  }

  /** @param {Y.Transaction} transaction */
  #before = ({ origin }) => {
    if (origin === this) return;
    if (this.#isComposing) this.#fork ??= this.#makeFork();
    else if (this.#hasFocus) this.#kept = this.#selected();
  };

  /** The text as the field shows it, in which its selection and its next change have their place. */
  #makeFork() {
    const doc = this.#doc;
    const fork = new Y.Doc();
    Y.applyUpdate(fork, Y.encodeStateAsUpdate(doc));
    fork.on("update", (update) => Y.applyUpdate(doc, update, this));
    return fork;
  }

  /** @param {Y.YTextEvent} event @param {Y.Transaction} transaction */
  #observe = (event, { origin }) => {
    if (origin === this || this.#fork !== undefined) return;
    if (origin === this.#undo) {
      // Asked for only here: it begins a transaction of its own, when the field is not as the text is.
      const at = endOf(event.delta);
      this.#kept = caretOf(this.#text, { anchor: at, head: at });
    }
    this.#draw();
    this.#changed();
  };

  #endComposing() {
    // Some browsers tell of the last change later.
    this.#type();
    this.#isComposing = false;
    if (this.#fork === undefined) return;
    this.#kept = this.#selected();
    this.#fork.destroy();
    this.#fork = undefined;
    this.#draw();
    this.#changed();
  }

  #blur() {
    this.#kept = this.#selected();
    this.#changed();
  }

  #focus() {
    this.#select();
    this.#changed();
  }

  #draw() {
    const value = this.#text.toJSON();
    if (this.#field.value !== value) {
      const { scrollTop } = this.#field;
      this.#field.value = value;
      // Without the focus it would be taken in some browsers.
      if (this.#hasFocus) this.#select();
      this.#field.scrollTop = scrollTop;
    }
  }

  /** Selects again what was selected. */
  #select() {
    const place = this.#kept && placeOf(this.#text, this.#kept);
    this.#kept = undefined;
    if (place === undefined) return;
    const { anchor, head } = place;
    const isBackward = head < anchor;
    this.#field.setSelectionRange(
      Math.min(anchor, head),
      Math.max(anchor, head),
      isBackward ? "backward" : "forward",
    );
  }
}
