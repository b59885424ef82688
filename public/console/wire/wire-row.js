/** Owns a line of the wire, and what is inside it once somebody opens it. */
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { pageOf } from "./read-frame.js";
import { shortPosition } from "./short-position.js";

const SIGNS = { in: "↓", out: "↑", note: "·" };
const WORDS = { in: "received", out: "sent", note: "" };

/** @param {{ row: import("./records.js").WireRecord }} props */
export function WireRow({ row }) {
  const [isOpen, setOpen] = useState(false);
  const { direction, channel, kind, summary, position, bytes, at } = row;
  return html`<li class=${`row row-${direction}`}>
    <button type="button" class="line" aria-expanded=${isOpen} onClick=${() => setOpen(!isOpen)}>
      <span class="sign" aria-hidden="true">${SIGNS[direction]}</span>
      <span class="unseen">${WORDS[direction]}</span>
      <span class="kind">${kind}</span>
      <span class="summary">${summary}</span>
      ${position !== undefined && html`<code class="at">${shortPosition(position)}</code>`}
    </button>
    ${
      isOpen &&
      html`<div class="inside">
        <p>
          <span>${channel}</span>
          <span>${time(at)}</span>
          ${bytes > 0 && html`<span>${bytes} bytes</span>`}
          ${position !== undefined && html`<span>position ${position}</span>`}
        </p>
        <pre tabindex="0" aria-label="All of it">${pageOf(row.detail)}</pre>
      </div>`
    }
  </li>`;
}

/** @param {number} at */
function time(at) {
  const date = new Date(at);
  return `${date.toLocaleTimeString()}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
