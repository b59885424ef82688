/**
 * Owns the feed of prices: it starts one, or shows the one that the address names, as lines that move.
 * Refuses to know how they are drawn.
 */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { html } from "../html.js";
import { keepInAddress, place } from "../place.js";
import { say } from "../say.js";
import { post } from "../session.js";
import { noticeRefusal, tokenCount } from "../token.js";
import { StateChip } from "../wire/state-chip.js";
import { PriceChart } from "./price-chart.js";
import { readTopic } from "./read-topic.js";
import { PriceTable } from "./price-table.js";

/** Two minutes at a tick every 400 ms. */
const PLAN = { ticks: 300, tickMs: 400 };

const table = signal(new PriceTable());
const trouble = signal("");
/** @type {import("@preact/signals").Signal<ReturnType<typeof readTopic> | undefined>} */
const reader = signal(undefined);

async function start() {
  trouble.value = "";
  try {
    const { topic } = await post("/v1/feeds/demo", PLAN);
    keepInAddress("feed", topic);
    say("The feed has started.");
  } catch (error) {
    trouble.value = error instanceof Error ? error.message : "The feed could not be started.";
    if (error instanceof Error && "code" in error) noticeRefusal(String(error.code));
  }
}

/** @param {string} topic */
function watch(topic) {
  const opened = readTopic(topic, {}, (items) => {
    const next = table.value.copy();
    for (const item of items) if (item.kind === "message") next.add(item.data);
    table.value = next;
  });
  reader.value = opened;
  return () => {
    opened.close();
    reader.value = undefined;
    table.value = new PriceTable();
  };
}

export function Prices() {
  const topic = place.value.query.get("feed") ?? "";
  useEffect(() => (topic === "" ? undefined : watch(topic)), [topic, tokenCount.value]);
  const state = reader.value?.state.value;
  const isOver = state === undefined || state.kind === "closed";
  const symbols = table.value.symbols;
  return html`<section class="card prices" aria-labelledby="prices">
    <div class="card-head">
      <h2 id="prices">Prices</h2>
      ${state && html`<${StateChip} state=${state} />`}
      <button type="button" class="small strong" onClick=${start} disabled=${!isOver}>
        Start a feed
      </button>
    </div>
    ${trouble.value !== "" && html`<p class="error" role="alert">${trouble.value}</p>`}
    ${
      topic === ""
        ? html`<p class="nothing">
            A live feed for two minutes. Whoever comes late, or reads slowly, gets the newest price
            of each symbol.
          </p>`
        : html`<div class="feed">
            <${PriceChart} table=${table.value} />
            <table>
              <caption class="unseen">
                The newest prices
              </caption>
              <thead class="unseen">
                <tr>
                  <th>Symbol</th>
                  <th>Price</th>
                  <th>Change</th>
                </tr>
              </thead>
              <tbody>
                ${symbols.map(
                  ({ symbol, price, change }, nth) =>
                    html`<tr key=${symbol}>
                      <th scope="row"><span class=${`swatch series-${nth}`}></span>${symbol}</th>
                      <td>${price.toFixed(2)}</td>
                      <td class=${change < 0 ? "down" : "up"}>
                        ${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(2)} %
                      </td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
  </section>`;
}
