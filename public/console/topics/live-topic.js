/** Owns a topic that anybody may write to: its events as they come, and a form to publish one. */
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { readForm } from "../form.js";
import { html } from "../html.js";
import { say } from "../say.js";
import { tokenCount } from "../token.js";
import { lineOf } from "../wire/read-frame.js";
import { StateChip } from "../wire/state-chip.js";
import { shortPosition } from "../wire/short-position.js";
import { readTopic } from "./read-topic.js";

/** Events on the page; all others are still in the topic. */
const SHOWN = 50;

const KEY = "sluice.topic";

/** The connection's. @type {import("@preact/signals").Signal<import("sluice/client").ConnectionState | undefined>} */
const state = signal(undefined);

export function LiveTopic() {
  const [name, setName] = useState(sessionStorage.getItem(KEY) ?? "news");
  /** @param {Event} event */
  const open = (event) => {
    const next = readForm(event).field("topic");
    if (next === "") return;
    sessionStorage.setItem(KEY, next);
    setName(next);
  };
  return html`<section class="card" aria-labelledby="live-topic">
    <div class="card-head">
      <h2 id="live-topic">Any topic</h2>
      ${state.value && html`<${StateChip} state=${state.value} />`}
    </div>
    <form class="inline" onSubmit=${open}>
      <label class="unseen" for="topic-name">Topic</label>
      <input id="topic-name" name="topic" value=${name} spellcheck=${false} autocomplete="off" />
      <button type="submit" class="small">Open</button>
    </form>
    <${Events} key=${`${name} ${tokenCount.value}`} name=${name} />
  </section>`;
}

/** @param {{ name: string }} props */
function Events({ name }) {
  const [items] = useState(() =>
    signal(/** @type {readonly import("sluice/client").TopicItem[]} */ ([])),
  );
  const [reader, setReader] = useState(
    /** @type {ReturnType<typeof readTopic> | undefined} */ (undefined),
  );
  useEffect(() => {
    const opened = readTopic(name, { from: SHOWN }, (fresh) => {
      items.value = [...items.value, ...fresh].slice(-SHOWN);
    });
    setReader(opened);
    const release = opened.state.subscribe((next) => {
      state.value = next;
    });
    return () => {
      release();
      opened.close();
    };
  }, [name]);

  /** @param {Event} event */
  const publish = async (event) => {
    const { form, field } = readForm(event);
    const text = field("data");
    const name = field("event") || "message";
    if (text === "") return;
    form.reset();
    try {
      await reader?.topic.publish(name, dataOf(text));
    } catch (error) {
      say(error instanceof Error ? error.message : "It could not be published.");
    }
  };

  return html`<form class="inline publish" onSubmit=${publish}>
      <label class="unseen" for="event-name">Event</label>
      <input id="event-name" name="event" placeholder="message" class="short" autocomplete="off" />
      <label class="unseen" for="event-data">Data</label>
      <input id="event-data" name="data" placeholder='"Hello" or {"a": 1}' autocomplete="off" />
      <button type="submit" class="small strong">Publish</button>
    </form>
    <ol class="events" aria-label=${`Events of ${name}`} tabindex="0">
      ${items.value.toReversed().map((item, nth) => html`<${Item} key=${items.value.length - nth} item=${item} />`)}
    </ol>
    ${
      items.value.length === 0 &&
      html`<p class="nothing">Nothing yet. Publish something, here or with curl.</p>`
    }`;
}

/** @param {{ item: import("sluice/client").TopicItem }} props */
function Item({ item }) {
  switch (item.kind) {
    case "message":
      return html`<li>
        <span class="kind">${item.event}</span>
        <span class="data">${typeof item.data === "string" ? item.data : lineOf(item.data)}</span>
        <code title=${item.position}>${shortPosition(item.position)}</code>
      </li>`;
    case "gap":
      return html`<li class="gap">Events are missing here: ${item.reason}.</li>`;
    case "end":
      return html`<li class="end">The topic was closed: ${item.outcome}.</li>`;
    case "invalid":
      return html`<li class="gap">An event was not as expected.</li>`;
  }
}

/** JSON where it is, a text where not. @param {string} text @returns {unknown} */
function dataOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
