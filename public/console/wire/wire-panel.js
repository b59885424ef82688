/**
 * Owns the Wire: what this page is connected to and everything that went over it. Refuses to know what
 * any of it is for.
 */
import { computed, signal } from "@preact/signals";
import { html } from "../html.js";
import { connections } from "./connections.js";
import { cutNetwork, isNetworkOn, restoreNetwork } from "./network.js";
import { now } from "./now.js";
import { clearRecords, isPaused, records, setPaused, totals } from "./records.js";
import { shortPosition } from "./short-position.js";
import { StateChip } from "./state-chip.js";
import { WireRow } from "./wire-row.js";

const FILTERS = /** @type {const} */ ([
  ["", "Everything"],
  ["WS", "Rooms"],
  ["/v1/topics", "Topics"],
  ["/chat/", "Answers"],
  ["note", "Connections"],
]);

const filter = signal("");

const shown = computed(() =>
  records.value.filter(
    ({ channel, direction }) =>
      filter.value === "" ||
      (filter.value === "note" ? direction === "note" : channel.includes(filter.value)),
  ),
);

/** A line that was drawn does not change: the same element is not looked at again. @type {WeakMap<object, unknown>} */
const drawn = new WeakMap();

export function WirePanel() {
  return html`<div class="wire">
    <div class="panel-head">
      <h2>Wire</h2>
      <p class="figures">
        <span title="received">↓ ${amount(totals.value.bytesIn)}</span>
        <span title="sent">↑ ${amount(totals.value.bytesOut)}</span>
      </p>
      ${
        isNetworkOn.value
          ? html`<button type="button" class="small danger" onClick=${cutNetwork}>
              Cut the network
            </button>`
          : html`<button type="button" class="small strong" onClick=${restoreNetwork}>
              Restore it
            </button>`
      }
    </div>
    <${Connections} />
    <div class="wire-tools">
      <label class="unseen" for="wire-filter">Show</label>
      <select id="wire-filter" value=${filter} onChange=${choose}>
        ${FILTERS.map(([value, label]) => html`<option key=${label} value=${value}>${label}</option>`)}
      </select>
      <button
        type="button"
        class="small"
        aria-pressed=${isPaused.value}
        onClick=${() => setPaused(!isPaused.value)}
      >
        Pause
      </button>
      <button type="button" class="small" onClick=${clearRecords}>Clear</button>
    </div>
    <${Rows} />
  </div>`;
}

/** @param {{ currentTarget: HTMLSelectElement }} event */
function choose({ currentTarget }) {
  filter.value = currentTarget.value;
}

function Connections() {
  // Positions are not told, they are looked at.
  void now.value;
  if (connections.value.length === 0) {
    return html`<p class="nothing">Nothing is connected yet.</p>`;
  }
  return html`<ul class="connections" aria-label="Connections" tabindex="0">
    ${connections.value.map(
      ({ name, state, losses, position }) =>
        html`<li key=${name}>
          <span class="name">${name}</span>
          <${StateChip} state=${state.value} />
          <span class="facts">
            <${Tab} state=${state.value} />
            ${losses.value > 0 && html`<span>lost ${losses.value}×</span>`}
            ${
              position() !== undefined &&
              html`<code title=${position()}>${shortPosition(position())}</code>`
            }
          </span>
        </li>`,
    )}
  </ul>`;
}

/** Whose connection it is, where tabs share one. @param {{ state: import("sluice/client").ConnectionState }} props */
function Tab({ state }) {
  const tab = "tab" in state ? state.tab : undefined;
  if (tab === undefined) return "";
  return tab === "this"
    ? html`<span title="Other tabs read over the connection of this one.">this tab leads</span>`
    : html`<span title="What goes over it is shown there.">by another tab</span>`;
}

function Rows() {
  const rows = shown.value;
  return html`<div class="rows" tabindex="0" role="region" aria-label="Frames and events">
    ${
      rows.length === 0
        ? html`<p class="nothing">What goes over the wire appears here.</p>`
        : html`<ol>
            ${rows.map(draw)}
          </ol>`
    }
  </div>`;
}

/** @param {import("./records.js").WireRecord} row */
function draw(row) {
  const before = drawn.get(row);
  if (before !== undefined) return before;
  const line = html`<${WireRow} key=${row.n} row=${row} />`;
  drawn.set(row, line);
  return line;
}

/** Bytes for people. @param {number} bytes */
function amount(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
