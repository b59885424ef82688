/**
 * Owns one answer on the page: its thoughts, its text, its notes and its error. What arrives between
 * two frames is drawn at once. Refuses to know about requests and about other answers.
 */
import { Prose } from "./prose.js";
import { keepingBottom } from "./scroll.js";

/** Ends that are complete and yet not what one hopes for. */
const NOTES = new Map([
  ["length", "The answer ends here because it reached its greatest length."],
  ["content_filter", "The provider's filter ended the answer here."],
  ["tool_calls", "The model wants to call a tool, which this page has none of."],
]);

export class AnswerView {
  #element = document.createElement("article");
  #text = document.createElement("div");
  #prose = new Prose(this.#text);
  #waiting = make("p", "waiting");
  /** @type {HTMLElement | undefined} */
  #thoughts;
  #pending = { text: "", reasoning: "" };
  #frame = 0;
  /** All the text so far. */
  content = "";

  /** @param {HTMLElement} log */
  constructor(log) {
    this.#element.className = "answer";
    this.#element.setAttribute("aria-busy", "true");
    this.#text.className = "prose";
    this.#waiting.append(make("span"), make("span"), make("span"));
    this.#element.append(make("h3", "unseen", "Answer"), this.#waiting, this.#text);
    log.append(this.#element);
  }

  /** @param {import("./ask.js").Part} part */
  add({ kind, text }) {
    if (kind === "finish") {
      this.note(NOTES.get(text) ?? `The answer ended early (${text}).`);
      return;
    }
    if (kind === "text") this.content += text;
    this.#pending[kind] += text;
    this.#frame ||= requestAnimationFrame(() => keepingBottom(() => this.#draw()));
  }

  /** @param {string} text */
  note(text) {
    this.#flush();
    keepingBottom(() => this.#element.append(make("p", "note", text)));
  }

  /**
   * @param {{ code: string, message: string }} error
   * @param {() => void} retry
   */
  fail({ code, message }, retry) {
    this.#flush();
    const box = make("div", "error");
    const button = make("button", "retry", "Try again");
    button.setAttribute("type", "button");
    button.addEventListener("click", retry);
    box.append(make("p", "", message), make("code", "", code), button);
    keepingBottom(() => this.#element.append(box));
  }

  /** Nothing more comes: what is written stays. */
  end() {
    this.#flush();
    this.#prose.end();
    this.#waiting.remove();
    this.#element.removeAttribute("aria-busy");
  }

  remove() {
    this.#element.remove();
  }

  #flush() {
    cancelAnimationFrame(this.#frame);
    keepingBottom(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    const { text, reasoning } = this.#pending;
    this.#pending = { text: "", reasoning: "" };
    if (text !== "" || reasoning !== "") this.#waiting.remove();
    if (reasoning !== "") (this.#thoughts ??= this.#openThoughts()).append(reasoning);
    if (text !== "") this.#prose.append(text);
  }

  #openThoughts() {
    const details = document.createElement("details");
    details.className = "thoughts";
    details.open = true;
    const text = make("p");
    details.append(make("summary", "", "Thoughts"), text);
    this.#text.before(details);
    return text;
  }
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} text
 */
function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.textContent = text;
  return element;
}
