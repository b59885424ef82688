/**
 * Owns the page of the example job: it starts one and shows its progress, which a plain `EventSource`
 * tells, from the beginning, however often the page is opened. Refuses to know how the job runs.
 */

const form = find("start", HTMLFormElement);
const begin = find("begin", HTMLButtonElement);
const fails = find("fails", HTMLInputElement);
const progress = find("progress", HTMLElement);
const step = find("step", HTMLElement);
const bar = find("bar", HTMLProgressElement);
const state = find("state", HTMLElement);
const lines = find("lines", HTMLOListElement);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void start();
});

// The address names the job, so that a reload, or somebody else, sees the same.
const known = location.hash.slice(1);
if (known !== "") watch(known);

async function start() {
  begin.disabled = true;
  state.textContent = "";
  try {
    const response = await fetch("/v1/jobs/demo", {
      method: "POST",
      body: JSON.stringify({ steps: 8, stepMs: 700, fails: fails.checked }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    location.hash = answer.topic;
    watch(answer.topic);
  } catch (error) {
    progress.hidden = false;
    state.textContent = error instanceof Error ? error.message : "The job could not be started.";
    begin.disabled = false;
  }
}

/** @param {string} topic */
function watch(topic) {
  begin.disabled = true;
  progress.hidden = false;
  step.textContent = "Waiting";
  bar.value = 0;
  lines.replaceChildren();
  const source = new EventSource(`/v1/topics/${encodeURIComponent(topic)}`);
  /** @param {string} name @param {(data: Record<string, any>) => void} show */
  const on = (name, show) => {
    source.addEventListener(name, ({ data }) => show(JSON.parse(data)));
  };
  on("started", ({ name }) => {
    state.textContent = `${name} is running.`;
  });
  on("step", ({ i, n, name }) => {
    step.textContent = `Step ${i} of ${n}: ${name}`;
  });
  on("percent", ({ percent }) => {
    bar.value = percent;
  });
  on("log", ({ line }) => {
    lines.append(Object.assign(document.createElement("li"), { textContent: line }));
  });
  on("done", () => {
    step.textContent = "Done";
    state.textContent = "The job is complete.";
  });
  on("failed", ({ message }) => {
    state.textContent = `The job failed: ${message}`;
  });
  source.addEventListener("end", () => {
    source.close();
    begin.disabled = false;
  });
  // It comes back by itself unless the server refused it for good.
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return;
    state.textContent = "This job cannot be watched.";
    begin.disabled = false;
  });
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
