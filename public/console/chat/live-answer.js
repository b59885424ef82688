/**
 * Owns one answer while it is being written: it reads the server's from its start and reports the end.
 * What arrives between two frames of animation is shown at once.
 * Refuses to know the page and where turns are kept.
 */
import { batch, signal } from "@preact/signals";
import { client } from "../session.js";
import { noticeRefusal } from "../token.js";
import { track } from "../wire/connections.js";

/** Seconds that an answer goes on when no tab is left: a reload is quicker, and an endless one ends. */
const GRACE = "grace=60";

/** @typedef {import("./conversation.js").Turn} Turn */

export class LiveAnswer {
  /** What has come so far. */
  text = signal("");
  reasoning = signal("");
  #pending = { text: "", reasoning: "" };
  #frame = 0;
  #answer;
  #report;

  /**
   * @param {Turn} turn
   * @param {readonly Turn[]} before what was said
   * @param {{ isOwn: boolean, onId: (id: string) => void, onEnd: (ending: Partial<Turn>) => void }} report
   *   `isOwn`: the question was asked in this tab
   */
  constructor(turn, before, report) {
    this.#report = report;
    // An answer that is known is only read. One that is not is asked for by its key: whoever asks
    // second, another tab or this one after a reload, gets the same.
    this.#answer =
      turn.id === undefined
        ? client().chat(requestOf(turn, before), {
            idempotencyKey: turn.key,
            whenAbandoned: GRACE,
          })
        : client().resumeChat(turn.id);
    void this.#read(turn.id !== undefined);
  }

  /** Ends the answer itself. */
  async stop() {
    await this.#answer.stop().catch(() => {});
  }

  /** Leaves it alone. */
  close() {
    this.#answer.close();
  }

  /** By its id and from its start: over one connection for all tabs that did not ask. @param {string} id */
  #share(id) {
    this.#answer.close();
    this.#answer = client().resumeChat(id);
    void this.#read(true);
  }

  /** @param {boolean} isKnown */
  async #read(isKnown) {
    const answer = this.#answer;
    track("answer", answer);
    try {
      for await (const delta of answer) {
        if (!isKnown && answer.id !== undefined) {
          isKnown = true;
          this.#report.onId(answer.id);
          if (!this.#report.isOwn) {
            this.#share(answer.id);
            return;
          }
        }
        if (delta.kind === "tool-call") continue;
        this.#pending[delta.kind] += delta.text;
        this.#frame ||= requestAnimationFrame(() => this.#show());
      }
    } catch {
      // How it ended says the end itself.
    }
    this.#show();
    const { state, finishReason, usage, error } = await answer.end;
    // Closed by this page: others may still read it.
    if (state === "closed") return;
    noticeRefusal(error?.code);
    this.#report.onEnd({
      state,
      finishReason,
      error,
      text: this.text.value,
      reasoning: this.reasoning.value,
      usage: usage && { tokens: usage.completion_tokens, isEstimated: usage.estimated === true },
    });
  }

  #show() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { text, reasoning } = this.#pending;
    this.#pending = { text: "", reasoning: "" };
    batch(() => {
      this.text.value += text;
      this.reasoning.value += reasoning;
    });
  }
}

/**
 * @param {Turn} turn
 * @param {readonly Turn[]} before
 */
function requestOf({ question, model }, before) {
  // What was said is part of the conversation, complete or not.
  const said = before.flatMap(({ question, text }) => [
    { role: "user", content: question },
    ...(text === "" ? [] : [{ role: "assistant", content: text }]),
  ]);
  const messages = [...said, { role: "user", content: question }];
  return { messages, ...(model === "" ? {} : { model }) };
}
