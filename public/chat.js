/**
 * Owns the page's behaviour: what happens on send, stop and retry, and what the conversation is.
 * Refuses to know how events are read and how text is drawn.
 */
import { AnswerView } from "./answer-view.js";
import { AnswerError, ask, askUpstream } from "./ask.js";
import { goToBottom } from "./scroll.js";

const composer = find("composer", HTMLFormElement);
const question = find("question", HTMLTextAreaElement);
const send = find("send", HTMLButtonElement);
const model = find("model", HTMLSelectElement);
const scenario = find("scenario", HTMLElement);
const token = find("token", HTMLInputElement);
const access = find("access", HTMLDetailsElement);
const welcome = find("welcome", HTMLElement);
const log = find("log", HTMLElement);
const status = find("status", HTMLElement);

/** Where the token stays; gone with the tab, and never sent anywhere else. */
const TOKEN_KEY = "sluice.token";

/** @type {import("./ask.js").Message[]} */
const messages = [];
/** The answer that is being written. @type {AbortController | undefined} */
let running;

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  if (running === undefined) submit(question.value);
  else running.abort();
});

question.addEventListener("keydown", (event) => {
  // While an input method composes a character, Enter belongs to it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (running === undefined) submit(question.value);
});
question.addEventListener("input", fit);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.abort();
});

for (const example of document.querySelectorAll(".example")) {
  example.addEventListener("click", () => submit(example.textContent));
}

token.value = sessionStorage.getItem(TOKEN_KEY) ?? "";
token.addEventListener("input", () => {
  sessionStorage.setItem(TOKEN_KEY, token.value.trim());
});

scenario.hidden = (await askUpstream()) !== "demo";

/** @param {string} text */
function submit(text) {
  if (text.trim() === "" || running !== undefined) return;
  welcome.hidden = true;
  const bubble = document.createElement("article");
  bubble.className = "question";
  bubble.textContent = text.trim();
  log.append(bubble);
  messages.push({ role: "user", content: text.trim() });
  question.value = "";
  fit();
  question.focus();
  void answer();
}

/** Has the conversation so far answered. Every way out leaves the page ready for the next question. */
async function answer() {
  const asked = [...messages];
  const controller = new AbortController();
  running = controller;
  showRunning(true);
  const view = new AnswerView(log);
  goToBottom();
  try {
    const parts = ask({
      messages: asked,
      model: scenario.hidden ? "" : model.value,
      token: token.value.trim(),
      signal: controller.signal,
    });
    for await (const part of parts) view.add(part);
    status.textContent = "The answer is complete.";
  } catch (error) {
    if (controller.signal.aborted) {
      view.note("Stopped.");
      status.textContent = "Stopped.";
    } else {
      showFailure(view, error, asked);
    }
  } finally {
    view.end();
    // What was said is part of the conversation, complete or not.
    if (view.content !== "") messages.push({ role: "assistant", content: view.content });
    running = undefined;
    showRunning(false);
  }
}

/**
 * @param {AnswerView} view
 * @param {unknown} thrown
 * @param {readonly import("./ask.js").Message[]} asked
 */
function showFailure(view, thrown, asked) {
  const error =
    thrown instanceof AnswerError
      ? thrown
      : new AnswerError("page_error", "This page could not show the answer.");
  view.fail(error, () => {
    if (running !== undefined) return;
    view.remove();
    messages.splice(0, messages.length, ...asked);
    question.focus();
    void answer();
  });
  status.textContent = `Error: ${error.message}`;
  if (["unauthorized", "token_expired", "forbidden"].includes(error.code)) {
    access.open = true;
    token.focus();
  }
}

/** @param {boolean} isRunning */
function showRunning(isRunning) {
  send.textContent = isRunning ? "Stop" : "Send";
  send.classList.toggle("stop", isRunning);
  log.setAttribute("aria-busy", String(isRunning));
  if (isRunning) status.textContent = "Waiting for the answer.";
}

/** Makes the field as high as its text, where style sheets cannot. */
function fit() {
  if (CSS.supports("field-sizing", "content")) return;
  question.style.height = "auto";
  question.style.height = `${question.scrollHeight}px`;
}

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
function find(id, type) {
  const element = document.querySelector(`#${id}`);
  if (!(element instanceof type)) throw new Error(`The page lacks its ${id}.`);
  return element;
}
