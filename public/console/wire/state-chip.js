/** Owns how the state of a connection looks: a sign and a word. Refuses to know what is connected. */
import { html } from "../html.js";
import { now } from "./now.js";

/** Codes of an end that nobody needs to worry about. */
const QUIET = new Set(["closed", "left", "ended"]);

/**
 * @param {import("sluice/client").ConnectionState} state
 * @returns {{ tone: string, word: string }}
 */
export function describe(state) {
  switch (state.kind) {
    case "idle":
      return { tone: "quiet", word: "Idle" };
    case "connecting":
      return { tone: "busy", word: "Connecting" };
    case "catching-up":
      return { tone: "busy", word: "Catching up" };
    case "live":
      return { tone: "live", word: "Live" };
    case "waiting":
      return { tone: "lost", word: "Lost" };
    case "closed":
      if (state.because === "ended") return { tone: "done", word: "Complete" };
      return QUIET.has(state.because)
        ? { tone: "quiet", word: "Closed" }
        : { tone: "alarm", word: state.because };
  }
}

/** @param {{ state: import("sluice/client").ConnectionState }} props */
export function StateChip({ state }) {
  const { tone, word } = describe(state);
  const left = state.kind === "waiting" ? Math.ceil((state.until - now.value) / 1000) : 0;
  return html`<span class=${`chip ${tone}`}>
    <span class="dot" aria-hidden="true"></span>${word}${
      left > 0 && html`<span class="again"> · again in ${left} s</span>`
    }
  </span>`;
}
