/**
 * Owns the example feed: prices that walk at random, the same walk for the same feed, a tick at a time.
 * Refuses to know time, storage and where it is told.
 */
import type { EventPublisher } from "../../src/jobs/progress.ts";

/** What a feed is asked for. */
export interface FeedPlan {
  readonly kind: "feed";
  readonly topic: string;
  readonly ticks: number;
  /** Milliseconds between two ticks. */
  readonly stepMs: number;
}

/** What is traded, and at how much it begins. */
const SYMBOLS: readonly (readonly [symbol: string, price: number])[] = [
  ["ACME", 120],
  ["BOLT", 48],
  ["CORK", 9.5],
  ["DUNE", 310],
  ["ECHO", 75],
];

/** The largest change of a tick, as a part of the price. */
const STEP = 0.01;

/**
 * Tells the tick after `done` of them: the price of each symbol. Told again, it says the same, which is
 * stored once. The last one ends the topic.
 *
 * @returns how many are behind the feed now; undefined when it has ended.
 */
export async function advanceFeed(
  { topic, ticks }: FeedPlan,
  done: number,
  publisher: EventPublisher,
): Promise<number | undefined> {
  const tick = done + 1;
  const events = SYMBOLS.map(([symbol, first]) => ({
    event: "price",
    data: { symbol, price: priceAt(tick, first, hash(topic + symbol)), tick },
    id: `${tick}.${symbol}`,
  }));
  await publisher.publish(events, tick >= ticks ? "completed" : undefined);
  return tick >= ticks ? undefined : tick;
}

/** Walked from the beginning each time: no price has to be kept, and a repeated tick is the same. */
function priceAt(tick: number, first: number, seed: number): number {
  let state = seed;
  let price = first;
  for (let nth = 0; nth < tick; nth += 1) {
    state = next(state);
    price *= 1 + STEP * ((2 * state) / 2 ** 32 - 1);
  }
  return Math.round(price * 100) / 100;
}

/** A number of 32 bits that is not zero (FNV-1a). */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0 || 1;
}

/** The number after another that is not zero (xorshift). */
function next(state: number): number {
  let value = state;
  value ^= value << 13;
  value ^= value >>> 17;
  value ^= value << 5;
  return value >>> 0;
}
