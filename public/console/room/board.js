/**
 * Owns the board that everybody points at: the pointers of those who are here, moving. With the keyboard
 * the arrows move one's own. Refuses to know how they travel.
 */
import { useRef } from "preact/hooks";
import { html } from "../html.js";
import { colourOf } from "./names.js";

/** How far an arrow key moves a pointer, in parts of the board. */
const STEP = 0.04;

/** @type {Readonly<Record<string, readonly [x: number, y: number]>>} */
const ARROWS = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

/** @param {{ visit: import("./visit.js").Visit }} props */
export function Board({ visit }) {
  const own = useRef({ x: 0.5, y: 0.5 });
  /** @param {number} x @param {number} y */
  const point = (x, y) => {
    own.current = { x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)) };
    visit.point(own.current.x, own.current.y);
  };
  /** @param {PointerEvent} event */
  const move = (event) => {
    const { left, top, width, height } = /** @type {Element} */ (
      event.currentTarget
    ).getBoundingClientRect();
    point((event.clientX - left) / width, (event.clientY - top) / height);
  };
  /** @param {KeyboardEvent} event */
  const step = (event) => {
    const by = ARROWS[event.key];
    if (by === undefined) return;
    event.preventDefault();
    point(own.current.x + by[0], own.current.y + by[1]);
  };
  const pointers = visit.presence.value.members.flatMap(({ member, state }) => {
    const shown = /** @type {import("./visit.js").Shown | null} */ (state);
    if (typeof shown?.x !== "number" || typeof shown.y !== "number") return [];
    return [{ member, x: shown.x, y: shown.y }];
  });
  return html`<div
    class="board"
    tabindex="0"
    role="group"
    aria-label="Board. The arrow keys move your pointer, which the others see."
    onPointerMove=${move}
    onPointerLeave=${() => visit.pointAway()}
    onKeyDown=${step}
    onBlur=${() => visit.pointAway()}
  >
    <p class="board-hint" aria-hidden="true">Point here: everyone sees it.</p>
    ${pointers.map(
      ({ member, x, y }) =>
        html`<div
          key=${member}
          class=${`pointer ${colourOf(member)}${x > 0.6 ? " flipped" : ""}`}
          style=${{ left: `${x * 100}%`, top: `${y * 100}%` }}
          data-member=${member}
          aria-hidden="true"
        >
          <svg viewBox="0 0 16 16" width="16" height="16"><path d="M1 1l5 14 2.5-6L15 6.5z" /></svg>
          <span>${member === visit.member ? "you" : member}</span>
        </div>`,
    )}
  </div>`;
}
