/**
 * Random tabs at one connection to a topic: they come, go, are slow, lose the connection. Each must have
 * the log from where it began, once and in order. Another set of seeds: FUZZ_SEED=<first>
 * FUZZ_RUNS=<number>.
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import { test } from "vitest";
import { TopicLine } from "../../src/client/tabs/topic-line.ts";
import type { TopicEvent, TopicResume, TopicTaken } from "../../src/client/topic/transport.ts";
import type { Link, LinkObserver } from "../../src/client/transport.ts";
import { SeededRandom } from "../support/seeded-random.ts";

const FIRST = Number(process.env["FUZZ_SEED"] ?? 1);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 40);
const STEPS = 300;

/** The server's side of one connection. */
class Upstream implements Link<TopicTaken> {
  readonly #log: readonly string[];
  readonly #window: number;
  readonly observer: LinkObserver<TopicEvent>;
  #next: number;
  #ahead = 0;
  #isOpen = false;
  isOver = false;

  constructor(
    log: readonly string[],
    { after, from, window }: TopicResume,
    observer: LinkObserver<TopicEvent>,
  ) {
    this.#log = log;
    this.#window = window;
    this.observer = observer;
    const newest = typeof from === "number" ? Math.max(0, log.length - from) : 0;
    const fresh = from === "now" ? log.length : newest;
    this.#next = after === undefined ? fresh : Number(after);
  }

  send({ count }: TopicTaken): void {
    this.#ahead = Math.max(0, this.#ahead - count);
  }

  probe(): void {}

  close(): void {
    this.isOver = true;
  }

  /** Tells at most so many events. */
  run(count: number): void {
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.observer.opened(this.#next < this.#log.length);
      if (!this.isOver) this.#tell(undefined);
    }
    for (let n = 0; n < count && !this.isOver; n += 1) {
      const data = this.#log[this.#next];
      if (data === undefined || this.#ahead >= this.#window) return;
      this.#next += 1;
      this.#tell(data);
    }
  }

  fail(): void {
    this.isOver = true;
    this.observer.failed({ code: "network", message: "", reconnect: "backoff" });
  }

  #tell(data: string | undefined): void {
    this.#ahead += 1;
    this.observer.event({ id: String(this.#next), event: undefined, data });
  }
}

/** A tab that reads, takes when it likes, and comes back when its connection failed. */
class Tab implements LinkObserver<TopicEvent> {
  readonly #line: TopicLine;
  readonly #from: TopicResume["from"];
  readonly #window: number;
  #link: Link<TopicTaken> | undefined;
  #untaken = 0;
  #position: string | undefined;
  readonly got: string[] = [];

  constructor(line: TopicLine, from: TopicResume["from"], window: number) {
    this.#line = line;
    this.#from = from;
    this.#window = window;
  }

  read(): void {
    if (this.#link !== undefined) return;
    this.#untaken = 0;
    this.#link = this.#line.open(
      { after: this.#position, from: this.#from, window: this.#window },
      this,
    );
  }

  take(count: number): void {
    const taken = Math.min(count, this.#untaken);
    this.#untaken -= taken;
    if (taken > 0) this.#link?.send({ kind: "taken", count: taken });
  }

  leave(): void {
    this.#link?.close();
    this.#link = undefined;
  }

  opened(): void {}
  caughtUp(): void {}
  retry(): void {}

  event({ id, data }: TopicEvent): void {
    this.#untaken += 1;
    // A connection of its own has a window of its own.
    ok(this.#untaken <= this.#window * 2 + 1, "told more than it has room for");
    this.#position = id;
    if (data !== undefined) this.got.push(data);
  }

  failed(): void {
    this.#link = undefined;
  }
}

async function run(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const log: string[] = [];
  const upstreams = new Set<Upstream>();
  const line = new TopicLine((resume, observer) => {
    const upstream = new Upstream(log, resume, observer);
    upstreams.add(upstream);
    return upstream;
  });
  const tabs: Tab[] = [];
  const living = (): Upstream[] => [...upstreams].filter(({ isOver }) => !isOver);
  for (let step = 0; step < STEPS; step += 1) {
    const kind = random.next();
    if (kind < 0.3) {
      const count = random.chance(0.05) ? 600 : random.between(1, 8);
      for (let n = 0; n < count; n += 1) log.push(String(log.length));
    } else if (kind < 0.6) {
      for (const upstream of living()) if (random.chance(0.7)) upstream.run(random.between(0, 300));
    } else if (kind < 0.85) {
      for (const tab of tabs) if (random.chance(0.5)) tab.take(random.between(1, 40));
    } else if (kind < 0.9) {
      for (const upstream of living()) if (random.chance(0.5)) upstream.fail();
    } else if (kind < 0.93) {
      for (const tab of tabs) if (random.chance(0.3)) tab.leave();
    } else if (tabs.length < 5) {
      tabs.push(
        new Tab(
          line,
          random.pick<TopicResume["from"]>(["start", "now", random.between(1, 30)]),
          random.between(4, 64),
        ),
      );
    }
    for (const tab of tabs) if (random.chance(0.8)) tab.read();
    await Promise.resolve();
  }
  // Everything calms down: all read on to the end.
  for (let round = 0; round < 100_000; round += 1) {
    const before = tabs.map(({ got }) => got.length).join();
    for (const tab of tabs) tab.read();
    await Promise.resolve();
    for (const upstream of living()) upstream.run(1_000);
    for (const tab of tabs) tab.take(1_000);
    const isQuiet = before === tabs.map(({ got }) => got.length).join();
    if (isQuiet && round > 3 && living().length <= 1) break;
    // Who meets the others only at the next event needs one.
    if (isQuiet) log.push(String(log.length));
    ok(round < 50_000, "does not come to rest");
  }
  for (const { got } of tabs) {
    const first = Number(got[0] ?? log.length);
    deepStrictEqual(got, log.slice(first));
  }
}

test(`[S3][S7] ${RUNS} random lives of tabs at one connection to a topic, from seed ${FIRST}`, async () => {
  for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
    try {
      await run(seed);
    } catch (error) {
      throw new Error(`Failed with FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: error });
    }
  }
});
