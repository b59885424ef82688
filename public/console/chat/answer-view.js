/**
 * Owns how an answer looks: its thoughts, its text, its notes and its error. Refuses to know about requests and about other answers.
 */
import { useLayoutEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { liveAnswer } from "./conversation.js";
import { Prose } from "./prose.js";
import { keepingBottom } from "./scroll.js";

/** Ends that are complete and yet not what one hopes for. */
const NOTES = new Map([
  ["length", "The answer ends here because it reached its greatest length."],
  ["content_filter", "The provider's filter ended the answer here."],
  ["tool_calls", "The model wants to call a tool, which this page has none of."],
]);

/**
 * @param {{
 *   turn: import("./conversation.js").Turn,
 *   box: { current: Element | null },
 *   onRetry: (() => void) | undefined,
 * }} props
 */
export function AnswerView({ turn, box, onRetry }) {
  const live = liveAnswer(turn.key);
  const text = live?.text.value ?? turn.text;
  const reasoning = live?.reasoning.value ?? turn.reasoning;
  const isRunning = turn.state === "running";
  const note = noteOf(turn);
  return html`<article class="answer" aria-busy=${isRunning ? "true" : undefined}>
    <h3 class="unseen">Answer</h3>
    ${
      isRunning &&
      text === "" &&
      reasoning === "" &&
      html`<p class="waiting" aria-hidden="true"><span></span><span></span><span></span></p>`
    }
    ${
      reasoning !== "" &&
      html`<details class="thoughts" open>
        <summary>Thoughts</summary>
        <p>${reasoning}</p>
      </details>`
    }
    <${ProseView} text=${text} isComplete=${!isRunning} box=${box} />
    ${note !== undefined && html`<p class="note">${note}</p>`}
    ${
      turn.error !== undefined &&
      turn.state !== "stopped" &&
      html`<div class="error">
        <p>${turn.error.message}</p>
        <code>${turn.error.code}</code>
        ${onRetry && html`<button type="button" class="retry" onClick=${onRetry}>Try again</button>`}
      </div>`
    }
    ${
      turn.usage !== undefined &&
      html`<p class="usage">
        ${turn.usage.isEstimated ? "about " : ""}${turn.usage.tokens} tokens
      </p>`
    }
  </article>`;
}

/** @param {import("./conversation.js").Turn} turn */
function noteOf({ state, finishReason }) {
  if (state === "stopped") return "Stopped.";
  if (state !== "completed" || finishReason === undefined || finishReason === "stop") return;
  return NOTES.get(finishReason) ?? `The answer ended early (${finishReason}).`;
}

/**
 * Text that only ever grows. What was drawn is never drawn again.
 *
 * @param {{ text: string, isComplete: boolean, box: { current: Element | null } }} props
 */
function ProseView({ text, isComplete, box }) {
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const prose = useRef(/** @type {Prose | undefined} */ (undefined));
  const drawn = useRef(0);
  useLayoutEffect(() => {
    const { current } = root;
    if (current === null) return;
    keepingBottom(box.current, () => {
      prose.current ??= new Prose(current);
      prose.current.append(text.slice(drawn.current));
      drawn.current = text.length;
      if (isComplete) prose.current.end();
    });
  }, [text, isComplete]);
  return html`<div class="prose" ref=${root}></div>`;
}
