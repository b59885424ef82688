/** What people build on topics, as they would: notifications of a user, a feed of prices. */
import { EventSource } from "eventsource";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EventReader } from "../support/event-reader.ts";
import { note } from "../support/note.ts";
import { until } from "../support/until.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { TopicClient } from "../support/topic-client.ts";

/** Bytes. */
const MEBIBYTE = 1024 * 1024;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({});
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

const topicCalled = (name: string) => new TopicClient(() => worker.origin, name);

/** A device: what it has shown, and how far that is. Its position outlives its connections. */
class Device implements Disposable {
  readonly shown: unknown[] = [];
  position: string;
  #source: EventSource | undefined;

  constructor(position: string) {
    this.position = position;
  }

  connect(url: string): void {
    this.#source = new EventSource(`${url}?lastEventId=${this.position}`);
    this.#source.addEventListener("message", ({ data, lastEventId }) => {
      this.shown.push(JSON.parse(String(data)));
      this.position = lastEventId;
    });
  }

  [Symbol.dispose](): void {
    this.#source?.close();
  }
}

test("[S6][S4] notifications: unread since a position, then live, across lost connections and devices", async () => {
  await using proxy = await openTcpProxy(worker.port);
  const ann = topicCalled("user:ann");
  const bob = topicCalled("user:bob");
  // Nobody has looked yet.
  await ann.publish([{ data: "one" }, { data: "two" }, { data: "three" }]);
  await bob.publish({ data: "for bob" });
  const unread = await ann.page();
  expect(unread.events.map(({ data }) => data)).toEqual(["one", "two", "three"]);
  // She has read two of them, and says so by keeping the position of the second.
  const read = unread.events[1]?.position ?? "";
  expect((await ann.page(`?after=${read}`)).events.map(({ data }) => data)).toEqual(["three"]);

  using phone = new Device(read);
  const address = `${proxy.origin}/v1/topics/${ann.name}`;
  phone.connect(address);
  await until("the unread one", () => phone.shown.length === 1);
  await ann.publish({ data: "four", id: "order-7" });
  // The shop repeats itself; she is not told twice.
  await ann.publish({ data: "four", id: "order-7" });
  await until("the live one", () => phone.shown.length === 2);
  proxy.cut();
  await ann.publish({ data: "five" });
  await until("the one that came while she was cut off", () => phone.shown.length === 3);
  expect(phone.shown).toEqual(["three", "four", "five"]);

  // The application is closed, and opened again later.
  phone[Symbol.dispose]();
  await ann.publish({ data: "six" });
  const after = await ann.page(`?after=${phone.position}`);
  expect(after.events.map(({ data }) => data)).toEqual(["six"]);
  phone.connect(address);
  using tablet = new Device("");
  tablet.connect(address);
  await until("both to have it", () => phone.shown.length === 4 && tablet.shown.length === 6);
  expect(phone.shown).toEqual(["three", "four", "five", "six"]);
  expect(tablet.shown).toEqual(["one", "two", "three", "four", "five", "six"]);
  expect((await bob.page()).events.map(({ data }) => data)).toEqual(["for bob"]);
});

test("[S6][S7] one connection carries a user's notifications and everybody's", async () => {
  const all = topicCalled("everybody");
  const cem = topicCalled("user:cem");
  const source = new EventSource(`${worker.origin}/v1/topics?topic=${cem.name}&topic=${all.name}`);
  const shown: string[] = [];
  source.addEventListener("message", ({ data }) => {
    shown.push(String(data));
  });
  try {
    await cem.publish({ data: "hello" });
    await all.publish({ data: "maintenance at noon" });
    await until("both", () => shown.length === 2);
    expect(shown.toSorted()).toEqual([
      '{"topic":"everybody","data":"maintenance at noon"}',
      '{"topic":"user:cem","data":"hello"}',
    ]);
  } finally {
    source.close();
  }
});

const SYMBOLS = ["A", "B", "C", "D", "E", "F", "G", "H"];
const ROUNDS = 480;
const TICKS_A_ROUND = 100;
/** What a reader that takes nothing may cost the Worker, however much passes by. */
const STALLED_MEBIBYTES = 24;

/** A feed of prices with a reader that keeps up, and what the Worker's memory was meanwhile. */
class Feed {
  readonly newest = new Map<string, number>();
  readonly residents: number[] = [];
  tick = 0;
  readonly #worker: RunningWorker;
  readonly topic: TopicClient;

  constructor(worker: RunningWorker) {
    this.#worker = worker;
    this.topic = new TopicClient(() => worker.origin, "prices");
  }

  /**
   * By the least of the looks in the last quarter: what is held for who takes nothing grows with each round
   * and would show in all of them, while garbage that nobody has collected yet comes and goes.
   */
  get grownMebibytes(): number {
    return Math.min(...this.residents.slice(-ROUNDS / 4)) - (this.residents[0] ?? 0);
  }

  async publishRound(): Promise<void> {
    const ticks = Array.from({ length: TICKS_A_ROUND }, () => {
      this.tick += 1;
      const { tick } = this;
      const symbol = SYMBOLS[tick % SYMBOLS.length] ?? "";
      this.newest.set(symbol, tick);
      return { event: "price", data: { symbol, tick, book: "x".repeat(1_000) } };
    });
    await this.topic.publish(ticks);
    this.residents.push(this.#worker.residentBytes() / MEBIBYTE);
  }
}

test("[S6][B3][I5] a feed: 48 MiB of ticks past a reader that takes nothing, then the newest price of each symbol", async () => {
  await using quiet = await startWorker({});
  await using burdened = await startWorker({});
  const without = new Feed(quiet);
  const feed = new Feed(burdened);
  for (const { topic } of [without, feed]) {
    await topic.create({ laggards: { latest: "symbol" }, retention: { messages: 2_000 } });
  }
  const { topic } = feed;
  const head = { accept: "text/event-stream" };
  const slow = new EventReader(await fetch(topic.url, { headers: head }));
  await slow.read();
  for (let round = 0; round < ROUNDS; round += 1) {
    // By turns, so that whatever else this machine does hits both.
    await without.publishRound();
    await feed.publishRound();
  }
  const stats = await topic.stats();
  expect(stats).toMatchObject({ lagging: 1, latestKeys: SYMBOLS.length });
  expect(stats["outstandingBytes"]).toBeLessThan(256 * 1024);
  const excess = feed.grownMebibytes - without.grownMebibytes;
  // What the network holds is out of date; then comes how things are.
  const seen = new Map<string, number>();
  let taken = 0;
  while (SYMBOLS.some((symbol) => seen.get(symbol) !== feed.newest.get(symbol))) {
    const event = await slow.next();
    // What it missed is not kept any more, and that is said.
    if (event?.event === "gap") continue;
    if (event?.event !== "price") throw new Error(`not a price: ${JSON.stringify(event)}`);
    const told = JSON.parse(event.data) as { symbol: string; tick: number };
    expect(told.tick).toBeGreaterThan(seen.get(told.symbol) ?? 0);
    seen.set(told.symbol, told.tick);
    taken += 1;
  }
  note(
    `${taken} of ${feed.tick} ticks taken; grown by ${feed.grownMebibytes.toFixed(1)} MiB, ` +
      `without a slow reader by ${without.grownMebibytes.toFixed(1)} MiB`,
  );
  expect(taken).toBeLessThan(feed.tick / 2);
  expect(excess).toBeLessThan(STALLED_MEBIBYTES);
  // And then it lives on.
  await topic.publish({ event: "price", data: { symbol: "A", tick: -1 } });
  expect(JSON.parse((await slow.next())?.data ?? "")).toEqual({ symbol: "A", tick: -1 });
  await slow.close();
}, 180_000);
