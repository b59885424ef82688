/** The example feed of prices, started and watched as a page would. */
import { EventSource } from "eventsource";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";

const TICKS = 20;
const SYMBOLS = ["ACME", "BOLT", "CORK", "DUNE", "ECHO"];

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({});
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

interface Price {
  readonly symbol: string;
  readonly price: number;
  readonly tick: number;
}

async function start(body?: unknown): Promise<Response> {
  return await fetch(`${worker.origin}/v1/feeds/demo`, {
    method: "POST",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** How many events a topic keeps. */
async function countEvents(url: string): Promise<number> {
  const stats = (await (await fetch(`${url}/stats`)).json()) as { readonly events: number };
  return stats.events;
}

/** What a plain `EventSource` hears until the feed's end. */
async function watch(url: string): Promise<readonly Price[]> {
  const source = new EventSource(url);
  try {
    const prices: Price[] = [];
    let end: string | undefined;
    source.addEventListener("price", ({ data }) => {
      prices.push(JSON.parse(String(data)) as Price);
    });
    source.addEventListener("end", ({ data }) => {
      end = String(data);
    });
    await until("the feed's end", () => end !== undefined);
    expect(end).toBe('{"outcome":"completed"}');
    return prices;
  } finally {
    source.close();
  }
}

test("[S6][S5] the demo's feed ticks for every symbol, ends by itself, and who comes late gets how things are", async () => {
  const response = await start({ ticks: TICKS, tickMs: 50 });
  expect(response.status).toBe(202);
  const { feed, topic, events } = (await response.json()) as Readonly<Record<string, string>>;
  expect(topic).toBe(`feed:${feed}`);
  expect(events).toBe(`/v1/topics/feed:${feed}?format=sse`);
  expect(response.headers.get("location")).toBe(events);

  const prices = await watch(`${worker.origin}${events}`);
  // Whoever comes when it has ticked already gets the newest tick, and then all that follow.
  const first = prices[0]?.tick ?? 0;
  const expected = Array.from({ length: TICKS + 1 - first }, (_, n) =>
    SYMBOLS.map((symbol) => ({ symbol, tick: first + n })),
  ).flat();
  expect(prices.map(({ symbol, tick }) => ({ symbol, tick }))).toEqual(expected);
  for (const symbol of SYMBOLS) {
    const walk = prices.filter((told) => told.symbol === symbol).map(({ price }) => price);
    for (const [nth, price] of walk.entries()) {
      const before = walk[nth - 1] ?? price;
      expect(Math.abs(price - before)).toBeLessThanOrEqual(0.01 * before + 0.01);
    }
    expect(new Set(walk).size).toBeGreaterThan(walk.length / 4);
  }
  expect(await watch(`${worker.origin}${events}`)).toEqual(prices.slice(-SYMBOLS.length));
  expect(await countEvents(`${worker.origin}/v1/topics/${topic}`)).toBe(TICKS * SYMBOLS.length);
});

test("[S6] a feed that is asked for without a body goes the usual way, and whoever closes its topic stops it", async () => {
  const { topic } = (await (await start()).json()) as { readonly topic: string };
  const url = `${worker.origin}/v1/topics/${topic}`;
  await until("its second tick", async () => (await countEvents(url)) >= 2 * SYMBOLS.length);
  await fetch(`${url}/close`, { method: "POST" });
  const { closed } = (await (await fetch(url)).json()) as { readonly closed: boolean };
  expect(closed).toBe(true);
});

test.each([[{ ticks: 0 }], [{ ticks: 601 }], [{ tickMs: 49 }], [{ steps: 3 }], ["text"]])(
  "[S6] a feed of %j is refused",
  async (body) => {
    const response = await start(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_request" });
  },
);
