/**
 * Owns the prices of a feed by tick, as changes since the first one: what is worth 9 and what is worth
 * 300 fit one chart. Refuses to know how they look.
 */

/** Ticks on the page; the feed's topic has the others. */
const SHOWN = 300;

export class PriceTable {
  /** @type {number[]} */
  #ticks = [];
  /** @type {Map<string, { first: number, price: number, changes: (number | null)[] }>} */
  #series = new Map();

  /** Takes the data of an event; what is no price is let be. @param {unknown} data */
  add(data) {
    const { symbol, price, tick } = /** @type {Record<string, unknown>} */ (data ?? {});
    if (typeof symbol !== "string" || typeof price !== "number" || typeof tick !== "number") return;
    if (tick !== this.#ticks.at(-1)) this.#begin(tick);
    let series = this.#series.get(symbol);
    if (series === undefined) {
      series = { first: price, price, changes: this.#ticks.map(() => null) };
      this.#series.set(symbol, series);
    }
    series.price = price;
    series.changes[this.#ticks.length - 1] = (price / series.first - 1) * 100;
  }

  /** Ticks, and after them the changes of each symbol, a column each. */
  get columns() {
    return [this.#ticks, ...[...this.#series.values()].map(({ changes }) => changes)];
  }

  get symbols() {
    return [...this.#series].map(([symbol, { price, changes }]) => ({
      symbol,
      price,
      change: changes.findLast((change) => change !== null) ?? 0,
    }));
  }

  /** The same prices as something new, which is how a page notices that there are more. */
  copy() {
    const copy = new PriceTable();
    copy.#ticks = this.#ticks;
    copy.#series = this.#series;
    return copy;
  }

  /** @param {number} tick */
  #begin(tick) {
    const isFull = this.#ticks.length >= SHOWN;
    this.#ticks.push(tick);
    if (isFull) this.#ticks.shift();
    for (const { changes } of this.#series.values()) {
      changes.push(null);
      if (isFull) changes.shift();
    }
  }
}
