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
if (known !== "") void watch(known);

async function start() {
  begin.disabled = true;
  state.textContent = "";
  try {
    const response = await fetch("/v1/jobs/demo", {
      method: "POST",
      headers: authorization(),
      body: JSON.stringify({ steps: 8, stepMs: 700, fails: fails.checked }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    location.hash = answer.topic;
    void watch(answer.topic);
  } catch (error) {
    progress.hidden = false;
    state.textContent = error instanceof Error ? error.message : "The job could not be started.";
    begin.disabled = false;
  }
}

/** The token that was given to the chat's page in this tab, if there is one. @returns {Record<string, string>} */
function authorization() {
  const token = sessionStorage.getItem("sluice.token") ?? "";
  return token === "" ? {} : { authorization: `Bearer ${token}` };
}

/** An `EventSource` can send no token: it takes a ticket, which opens one stream. */
async function ticketQuery() {
  const headers = authorization();
  if (headers["authorization"] === undefined) return "";
  const response = await fetch("/v1/tickets", { method: "POST", headers });
  const { ticket, detail } = await response.json();
  if (!response.ok) throw new Error(detail);
  return `?ticket=${ticket}`;
}

/** @param {string} topic */
async function watch(topic) {
  begin.disabled = true;
  progress.hidden = false;
  step.textContent = "Waiting";
  bar.value = 0;
  lines.replaceChildren();
  let query;
  try {
    query = await ticketQuery();
  } catch (error) {
    state.textContent = error instanceof Error ? error.message : "This job cannot be watched.";
    begin.disabled = false;
    return;
  }
  const source = new EventSource(`/v1/topics/${encodeURIComponent(topic)}${query}`);
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
