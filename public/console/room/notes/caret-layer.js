/**
 * Owns the others' carets and selections over a text field: the same text, unseen, laid out alike and scrolled along. Refuses to
 * know how they travel.
 */
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../../html.js";
import { colourOf } from "../names.js";
import { piecesOf } from "./pieces.js";

/** The part of the field's width from which on a name stands on the other side. */
const FLIPPED_FROM = 0.6;

/** @param {{ notebook: import("./notebook.js").Notebook, field: { readonly current: HTMLElement | null } }} props */
export function CaretLayer({ notebook, field }) {
  const layer = useRef(/** @type {HTMLElement | null} */ (null));
  const { text, carets } = notebook.others.value;
  const follow = () => {
    if (layer.current !== null) layer.current.scrollTop = field.current?.scrollTop ?? 0;
  };
  useLayoutEffect(() => {
    field.current?.addEventListener("scroll", follow);
    return () => field.current?.removeEventListener("scroll", follow);
  }, []);
  useLayoutEffect(() => {
    follow();
    for (const caret of layer.current?.querySelectorAll(".caret") ?? []) {
      const { offsetLeft } = /** @type {HTMLElement} */ (caret);
      const isFar = offsetLeft > (layer.current?.clientWidth ?? 0) * FLIPPED_FROM;
      caret.classList.toggle("flipped", isFar);
    }
  }, [text, carets]);
  return html`<div class="caret-layer" ref=${layer} aria-hidden="true">
    ${piecesOf(text, carets).flatMap(({ text, selectedBy, carets }) => [
      ...carets.map(
        ({ member, key }) =>
          html`<span key=${key} class=${`caret ${colourOf(member)}`} data-member=${member}
            ><span class="flag">${member}</span></span
          >`,
      ),
      selectedBy === undefined
        ? text
        : html`<span class=${`selected ${colourOf(selectedBy)}`}>${text}</span>`,
    ])}${"\u200B"}
  </div>`;
}
