/**
 * Owns the chart of the prices. Its library is loaded with the first feed, and where it cannot run the
 * numbers beside it still do. Refuses to know where prices come from.
 *
 * @import uPlot from "uplot"
 */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { theme } from "../theme.js";

/** @type {import("@preact/signals").Signal<typeof uPlot | undefined>} */
const library = signal(undefined);
let isAsked = false;

async function load() {
  if (isAsked) return;
  isAsked = true;
  const restore = nameLanguage();
  try {
    library.value = (await import("uplot")).default;
  } finally {
    restore();
  }
}

/**
 * Some systems without a language make browsers name one that is none, at which the library stops as it
 * loads: it is told another for as long as that takes.
 */
function nameLanguage() {
  try {
    Intl.getCanonicalLocales(navigator.language);
    return () => {};
  } catch {
    Object.defineProperty(navigator, "language", { value: "en", configurable: true });
    return () => {
      Reflect.deleteProperty(navigator, "language");
    };
  }
}

/** Ticks that the chart is wide; what is older leaves it on the left. */
const WINDOW = 75;
const HEIGHT_PX = 240;

/** @param {{ table: import("./price-table.js").PriceTable }} props */
export function PriceChart({ table }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const chart = useRef(/** @type {uPlot | undefined} */ (undefined));
  const count = table.symbols.length;
  const colours = theme.value;
  const Chart = library.value;

  useEffect(() => {
    const { current } = box;
    load().catch(() => {});
    if (current === null || Chart === undefined) return;
    const made = new Chart(optionsFor(current, count), dataOf(table), current);
    chart.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: current.clientWidth, height: HEIGHT_PX });
    });
    observer.observe(current);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [Chart, count, colours]);
  useEffect(() => {
    if (chart.current?.series.length === count + 1) chart.current.setData(dataOf(table));
  }, [table]);

  const words = table.symbols.map(
    ({ symbol, change }) =>
      `${symbol} ${change < 0 ? "down" : "up"} ${Math.abs(change).toFixed(1)} %`,
  );
  return html`<div
    class="chart"
    ref=${box}
    role="img"
    aria-label=${`Chart: ${words.join(", ")}`}
  ></div>`;
}

/** @param {import("./price-table.js").PriceTable} table */
function dataOf(table) {
  return /** @type {uPlot.AlignedData} */ (table.columns);
}

/**
 * @param {HTMLElement} box
 * @param {number} count how many lines
 * @returns {uPlot.Options}
 */
function optionsFor(box, count) {
  const soft = colourOf(box, "--soft");
  const line = colourOf(box, "--line");
  const axis = {
    stroke: soft,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
  };
  return {
    width: box.clientWidth,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: {
        time: false,
        range: (_chart, _least, most) => [Math.max(0, most - WINDOW), Math.max(WINDOW, most)],
      },
      y: { range: (_chart, least, most) => [Math.min(least, -1) * 1.1, Math.max(most, 1) * 1.1] },
    },
    axes: [
      { ...axis, size: 28 },
      { ...axis, size: 52, values: (_chart, values) => values.map((value) => `${value} %`) },
    ],
    series: [
      {},
      ...Array.from({ length: count }, (_, nth) => ({
        stroke: colourOf(box, `--series-${nth}`),
        width: 2,
        points: { show: false },
        spanGaps: true,
      })),
    ],
  };
}

/** A colour of the style sheet as a canvas wants it. @param {HTMLElement} box @param {string} name */
function colourOf(box, name) {
  box.style.color = `var(${name})`;
  const { color } = getComputedStyle(box);
  box.style.color = "";
  return color;
}
