/** Owns what is said in the room, what waits to be sent, and the field to say more. */
import { readForm } from "../form.js";
import { html } from "../html.js";
import { colourOf, initialsOf } from "./names.js";

/** @param {{ visit: import("./visit.js").Visit }} props */
export function Messages({ visit }) {
  const said = visit.said.value;
  const waiting = visit.waiting.value;
  /** @param {Event} event */
  const send = (event) => {
    const { form, field } = readForm(event);
    const text = field("text");
    if (text === "") return;
    visit.say(text);
    form.reset();
  };
  return html`<div class="talk">
    <div class="said" role="log" aria-label="Messages" tabindex="0">
      <ol>
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
    </div>
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
