/** Owns the list of who is here. */
import { html } from "../html.js";
import { colourOf, initialsOf } from "./names.js";

/** @param {{ visit: import("./visit.js").Visit }} props */
export function People({ visit }) {
  const { count, members, complete } = visit.presence.value;
  return html`<div class="people" tabindex="0" role="region" aria-label="Who is here">
    <h3>Here <span class="count">${count}</span></h3>
    <ul>
      ${members.map(({ member, state }) => {
        const shown = /** @type {import("./visit.js").Shown | null} */ (state);
        return html`<li key=${member}>
          <span class=${`face ${colourOf(member)}`} aria-hidden="true">${initialsOf(member)}</span>
          <span class="who">${member}</span>
          ${member === visit.member && html`<span class="you">you</span>`}
          ${shown?.isTyping === true && html`<span class="typing">typing…</span>`}
        </li>`;
      })}
    </ul>
    ${!complete && html`<p class="nothing">and others</p>`}
  </div>`;
}
