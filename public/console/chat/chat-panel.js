/** Owns the Chat: the conversation and what a question is written in. Refuses to know how answers travel. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { say } from "../say.js";
import { askUpstream } from "../session.js";
import { AnswerView } from "./answer-view.js";
import { Composer } from "./composer.js";
import { ask, askAgain, forget, isRunning, stop, turns } from "./conversation.js";
import { goToBottom } from "./scroll.js";

/** Which answer the demo plays; "" where there is no demo. */
const scenario = signal("");
const isDemo = signal(false);
void askUpstream().then((upstream) => {
  isDemo.value = upstream === "demo";
});

const EXAMPLES = ["What is Sluice?", "What if I reload halfway?", "What if the model fails?"];

/** What an end is called for people who do not see it. */
const ENDS = {
  running: "Waiting for the answer.",
  completed: "The answer is complete.",
  stopped: "Stopped.",
  failed: "The answer failed.",
  interrupted: "The answer was interrupted.",
};

export function ChatPanel() {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const list = turns.value;
  const last = list.at(-1);
  const model = isDemo.value ? scenario.value : "";

  useEffect(() => goToBottom(box.current), [last?.key]);
  useEffect(() => {
    if (last === undefined) return;
    say(last.error === undefined ? ENDS[last.state] : `Error: ${last.error.message}`);
  }, [last?.key, last?.state]);

  return html`<div class="chat">
    <h2 class="unseen">Chat</h2>
    <div class="scroller" ref=${box} tabindex="0" role="region" aria-label="Answers">
      ${
        list.length === 0
          ? html`<${Welcome} onAsk=${(/** @type {string} */ question) => ask(question, model)} />`
          : html`<div
              class="log"
              role="log"
              aria-label="Conversation"
              aria-busy=${isRunning.value}
              aria-live="off"
            >
              ${list.map(
                (turn, index) =>
                  html`<article class="question" key=${`${turn.key}?`}>
                      <h3 class="unseen">Question</h3>
                      <p>${turn.question}</p>
                    </article>
                    <${AnswerView}
                      key=${turn.key}
                      turn=${turn}
                      box=${box}
                      onRetry=${index === list.length - 1 ? () => askAgain(model) : undefined}
                    />`,
              )}
            </div>`
      }
    </div>
    <${Composer}
      isRunning=${isRunning.value}
      onAsk=${(/** @type {string} */ question) => ask(question, model)}
      onStop=${stop}
    >
      ${isDemo.value && html`<${Scenarios} />`}
      ${
        list.length > 0 &&
        html`<button type="button" class="small" onClick=${forget}>New conversation</button>`
      }
    <//>
  </div>`;
}

/** @param {{ onAsk: (question: string) => void }} props */
function Welcome({ onAsk }) {
  return html`<div class="welcome">
    <h3>What would you like to know?</h3>
    <p>
      Answers appear word by word. Reload halfway, open a second tab, cut the network: they go on
      where they were.
    </p>
    <ul>
      ${EXAMPLES.map(
        (example) =>
          html`<li key=${example}>
            <button type="button" class="example" onClick=${() => onAsk(example)}>
              ${example}
            </button>
          </li>`,
      )}
    </ul>
  </div>`;
}

function Scenarios() {
  return html`<label class="scenario">
    <span>Demo</span>
    <select
      value=${scenario}
      onChange=${(/** @type {{ currentTarget: HTMLSelectElement }} */ { currentTarget }) => {
        scenario.value = currentTarget.value;
      }}
    >
      <option value="">ordinary</option>
      <option value="demo-slow">slow</option>
      <option value="demo-long">very long</option>
      <option value="demo-endless">endless</option>
      <option value="demo-reasoning">thinks aloud</option>
      <option value="demo-fail-before">fails at once</option>
      <option value="demo-fail-after">fails halfway</option>
      <option value="demo-truncated">is cut off</option>
    </select>
  </label>`;
}
