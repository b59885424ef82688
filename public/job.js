/**
 * Owns the page of the example job: it starts one and shows its progress, from the beginning, however
 * often the page is opened. Refuses to know how the job runs and how its story is read.
 */
import { follow } from "./follow.js";

const form = find("start", HTMLFormElement);
const begin = find("begin", HTMLButtonElement);
const fails = find("fails", HTMLInputElement);
const progress = find("progress", HTMLElement);
const step = find("step", HTMLElement);
const bar = find("bar", HTMLProgressElement);
const state = find("state", HTMLElement);
const lines = find("lines", HTMLOListElement);
const token = find("token", HTMLInputElement);
const access = find("access", HTMLDetailsElement);

/** Where the token stays, for all pages; gone with the tab, and never sent anywhere else. */
const TOKEN_KEY = "sluice.token";

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void start();
});

async function start() {
  begin.disabled = true;
  state.textContent = "";
  try {
    const response = await fetch("/v1/jobs/demo", {
      method: "POST",
      headers: token.value.trim() === "" ? {} : { authorization: `Bearer ${token.value.trim()}` },
      body: JSON.stringify({ steps: 8, stepMs: 700, fails: fails.checked }),
    });
    const answer = await response.json();
    if (response.status === 401) {
      access.open = true;
      token.focus();
    }
    if (!response.ok) throw new Error(answer.detail);
    location.hash = answer.topic;
    watch(answer.topic);
  } catch (error) {
    lose(error instanceof Error ? error.message : "The job could not be started.");
  }
}

/** What each event of a job's story shows. @type {Record<string, (data: Record<string, any>) => void>} */
const shows = {
  started({ name }) {
    state.textContent = `${name} is running.`;
  },
  step({ i, n, name }) {
    step.textContent = `Step ${i} of ${n}: ${name}`;
  },
  percent({ percent }) {
    bar.value = percent;
  },
  log({ line }) {
    lines.append(Object.assign(document.createElement("li"), { textContent: line }));
  },
  done() {
    step.textContent = "Done";
    state.textContent = "The job is complete.";
  },
  failed({ message }) {
    state.textContent = `The job failed: ${message}`;
  },
  end() {
    begin.disabled = false;
  },
};

token.value = sessionStorage.getItem(TOKEN_KEY) ?? "";
token.addEventListener("input", () => {
  sessionStorage.setItem(TOKEN_KEY, token.value.trim());
});

// The address names the job, so that a reload, or somebody else, sees the same.
const known = location.hash.slice(1);
if (known !== "") watch(known);

/** @param {string} topic */
function watch(topic) {
  begin.disabled = true;
  follow(
    { topic, token: token.value.trim(), names: Object.keys(shows) },
    {
      begin() {
        progress.hidden = false;
        step.textContent = "Waiting";
        bar.value = 0;
        lines.replaceChildren();
      },
      hear(name, data) {
        shows[name]?.(JSON.parse(data));
      },
      lose,
    },
  );
}

/** @param {string} why */
function lose(why) {
  progress.hidden = false;
  state.textContent = why;
  begin.disabled = false;
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
