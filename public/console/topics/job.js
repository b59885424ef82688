/**
 * Owns the example job: it starts one, and shows the progress of the one that the address names from its
 * beginning, however often the page is opened. Refuses to know how the job runs.
 */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { keepInAddress, place } from "../place.js";
import { say } from "../say.js";
import { post } from "../session.js";
import { noticeRefusal, tokenCount } from "../token.js";
import { StateChip } from "../wire/state-chip.js";
import { readTopic } from "./read-topic.js";

/** @typedef {{ step: string, percent: number, words: string, lines: readonly string[], isOver: boolean }} Progress */

/** @type {Progress} */
const NONE = { step: "Waiting", percent: 0, words: "", lines: [], isOver: false };

const progress = signal(NONE);
const fails = signal(false);
const trouble = signal("");
/** @type {import("@preact/signals").Signal<ReturnType<typeof readTopic> | undefined>} */
const reader = signal(undefined);

async function start() {
  trouble.value = "";
  try {
    const plan = { steps: 8, stepMs: 700, fails: fails.value };
    const { topic } = await post("/v1/jobs/demo", plan);
    keepInAddress("job", topic);
  } catch (error) {
    trouble.value = error instanceof Error ? error.message : "The job could not be started.";
    if (error instanceof Error && "code" in error) noticeRefusal(String(error.code));
  }
}

/** @param {string} topic */
function watch(topic) {
  progress.value = NONE;
  const opened = readTopic(topic, {}, (items) => {
    progress.value = items.reduce(tell, progress.value);
    if (progress.value.isOver) say(progress.value.words);
  });
  reader.value = opened;
  return () => {
    opened.close();
    reader.value = undefined;
  };
}

/**
 * @param {Progress} before
 * @param {import("sluice/client").TopicItem} item
 * @returns {Progress}
 */
function tell(before, item) {
  if (item.kind === "end") return { ...before, isOver: true };
  if (item.kind !== "message") return before;
  const data = /** @type {Record<string, any>} */ (item.data ?? {});
  switch (item.event) {
    case "started":
      return { ...before, words: `${data["name"]} is running.` };
    case "step":
      return { ...before, step: `Step ${data["i"]} of ${data["n"]}: ${data["name"]}` };
    case "percent":
      return { ...before, percent: data["percent"] };
    case "log":
      return { ...before, lines: [...before.lines, data["line"]] };
    case "done":
      return { ...before, step: "Done", words: "The job is complete." };
    case "failed":
      return { ...before, words: `The job failed: ${data["message"]}` };
    default:
      return before;
  }
}

export function Job() {
  const topic = place.value.query.get("job") ?? "";
  useEffect(() => (topic === "" ? undefined : watch(topic)), [topic, tokenCount.value]);
  const state = reader.value?.state.value;
  const isRunning = state !== undefined && state.kind !== "closed";
  const { step, percent, lines } = progress.value;
  const isRefused = state?.kind === "closed" && state.because !== "ended";
  const words = isRefused ? "This job cannot be watched." : progress.value.words;
  return html`<section class="card" aria-labelledby="job">
    <div class="card-head">
      <h2 id="job">A long job</h2>
      ${state && html`<${StateChip} state=${state} />`}
    </div>
    <div class="inline">
      <button type="button" class="small strong" onClick=${start} disabled=${isRunning}>
        Start a job
      </button>
      <label class="check">
        <input
          type="checkbox"
          checked=${fails}
          onChange=${(/** @type {{ currentTarget: HTMLInputElement }} */ { currentTarget }) => {
            fails.value = currentTarget.checked;
          }}
        />
        that fails halfway
      </label>
    </div>
    ${trouble.value !== "" && html`<p class="error" role="alert">${trouble.value}</p>`}
    ${
      topic === ""
        ? html`<p class="nothing">Reload, or open the address elsewhere: it shows the same.</p>`
        : html`<div class="progress">
            <label for="bar">${step}</label>
            <progress id="bar" max="100" value=${percent}></progress>
            <p class="words">${words}</p>
            <ol class="lines" aria-label="Log">
              ${lines.map((line) => html`<li key=${line}>${line}</li>`)}
            </ol>
          </div>`
    }
  </section>`;
}
