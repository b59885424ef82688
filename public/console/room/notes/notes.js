/** Owns the notes as the Room shows them: a field, the others' carets in it, and a line that says where it stands. */
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../../html.js";
import { say } from "../../say.js";
import { CaretLayer } from "./caret-layer.js";
import { describe } from "./words.js";

/** @typedef {import("./notebook.js").Notebook} Notebook */

/** @param {{ visit: import("../visit.js").Visit }} props */
export function Notes({ visit }) {
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [notebook, setNotebook] = useState(/** @type {Notebook | undefined} */ (undefined));
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    let isOver = false;
    /** @type {Notebook | undefined} */
    let opened;
    const open = async () => {
      const { Notebook } = await import("./notebook.js");
      if (isOver || field.current === null) return;
      opened = new Notebook(visit, field.current);
      visit.beforeLeaving = close;
      setNotebook(opened);
    };
    const close = () => {
      isOver = true;
      opened?.close();
      opened = undefined;
    };
    open().catch(() => setMissing(true));
    return () => {
      close();
      setNotebook(undefined);
    };
  }, [visit]);
  const { tone, words } = isMissing
    ? { tone: "alarm", words: "What they need could not be loaded. Load the page again." }
    : describe(notebook?.state.value ?? { kind: "loading" });
  useEffect(() => {
    if (tone === "alarm") say(`Notes: ${words}`);
  }, [tone, words]);
  return html`<div class="notes">
    <div class="notes-head">
      <label for="notes">Notes</label>
      <p id="notes-state" class=${`notes-state ${tone}`}>${words}</p>
    </div>
    <div class="notes-field">
      <textarea
        id="notes"
        ref=${field}
        readonly=${notebook?.isWritable.value !== true}
        aria-describedby="notes-state"
        placeholder="Write here: everyone writes in the same text."
        autocomplete="off"
      ></textarea>
      ${notebook && html`<${CaretLayer} notebook=${notebook} field=${field} />`}
    </div>
  </div>`;
}
