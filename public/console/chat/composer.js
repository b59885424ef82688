/** Owns the field that a question is written in, and its one button. Refuses to know what is asked. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";

/** @param {{ isRunning: boolean, onAsk: (question: string) => void, onStop: () => void, children?: unknown }} props */
export function Composer({ isRunning, onAsk, onStop, children }) {
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));

  const ask = () => {
    const { current } = field;
    if (current === null || current.value.trim() === "") return;
    onAsk(current.value);
    current.value = "";
    fit(current);
    current.focus();
  };
  /** @param {KeyboardEvent} event */
  const type = (event) => {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!isRunning) ask();
  };
  // Before the page shows that it can be stopped: Escape may follow at once.
  useLayoutEffect(() => {
    /** @param {KeyboardEvent} event */
    const leave = (event) => {
      if (event.key === "Escape" && isRunning) onStop();
    };
    document.addEventListener("keydown", leave);
    return () => document.removeEventListener("keydown", leave);
  }, [isRunning]);

  return html`<div class="dock">
    <form
      class="composer"
      onSubmit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        if (isRunning) onStop();
        else ask();
      }}
    >
      <label class="unseen" for="question">Message</label>
      <textarea
        id="question"
        ref=${field}
        rows="1"
        placeholder="Ask something"
        autocomplete="off"
        enterkeyhint="send"
        onKeyDown=${type}
        onInput=${() => fit(field.current)}
      ></textarea>
      <button class=${isRunning ? "send stop" : "send"} type="submit">
        ${isRunning ? "Stop" : "Send"}
      </button>
    </form>
    <div class="options">${children}</div>
  </div>`;
}

/** Makes the field as high as its text, where style sheets cannot. @param {HTMLTextAreaElement | null} field */
function fit(field) {
  if (field === null || CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}
