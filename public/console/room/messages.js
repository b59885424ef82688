/** Owns what is said in the room, what waits to be sent, and the field to say more. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { colourOf, initialsOf } from "./names.js";

/** Pixels from the end within which a reader counts as being at the end. */
const NEAR_PX = 40;

/** @param {{ visit: import("./visit.js").Visit }} props */
export function Messages({ visit }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const isAtEnd = useRef(true);
  const said = visit.said.value;
  const waiting = visit.waiting.value;
  useLayoutEffect(() => {
    if (box.current !== null && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [said]);
  const look = () => {
    const { current } = box;
    if (current === null) return;
    isAtEnd.current = current.scrollHeight - current.clientHeight - current.scrollTop <= NEAR_PX;
  };
  /** @param {Event} event */
  const send = (event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.currentTarget);
    const text = String(new FormData(form).get("text")).trim();
    if (text === "") return;
    isAtEnd.current = true;
    visit.say(text);
    form.reset();
  };
  return html`<div class="talk">
    <ol class="said" ref=${box} onScroll=${look} role="log" aria-label="Messages" tabindex="0">
      ${said.map(
        (one) =>
          html`<li
            key=${one.id}
            class=${`message${one.sender === visit.member ? " own" : ""}${one.isWaiting ? " waits" : ""}`}
          >
            <span class=${`face ${colourOf(one.sender)}`} aria-hidden="true"
              >${initialsOf(one.sender)}</span
            >
            <p>
              <span class="who">${one.sender || "a backend"}</span>
              <time>${one.isWaiting ? "waiting" : timeOf(one.at)}</time>
              <span class="text">${one.text}</span>
            </p>
          </li>`,
      )}
    </ol>
    ${said.length === 0 && html`<p class="nothing">Nothing was said here yet.</p>`}
    ${visit.gap.value !== "" && html`<p class="note" role="status">${visit.gap.value}</p>`}
    <${Typing} visit=${visit} />
    <form class="composer" onSubmit=${send}>
      <label class="unseen" for="say">Say something</label>
      <input
        id="say"
        name="text"
        placeholder="Say something"
        autocomplete="off"
        onInput=${() => visit.showTyping(true)}
      />
      <button class="send" type="submit">Send</button>
    </form>
    <p class=${waiting > 0 ? "outbox some" : "outbox"}>
      ${waiting === 0 ? "Everything is sent." : `${waiting} waiting to be sent`}
    </p>
  </div>`;
}

/** @param {{ visit: import("./visit.js").Visit }} props */
function Typing({ visit }) {
  const names = visit.presence.value.members
    .filter(({ member, state }) => {
      const shown = /** @type {import("./visit.js").Shown | null} */ (state);
      return member !== visit.member && shown?.isTyping === true;
    })
    .map(({ member }) => member);
  const words =
    names.length === 0
      ? ""
      : names.length === 1
        ? `${names[0]} is typing…`
        : `${names.length} people are typing…`;
  return html`<p class="typing-line">${words}</p>`;
}

/** @param {number} at */
function timeOf(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
