/**
 * Random tabs that keep what they send in one storage: they come, go without a word, lose their connection.
 * Each message must be sent by one tab at a time, stored once and in its tab's order, and answered to the
 * tab it came from. Locks and channels are the runtime's own. Another set of seeds: FUZZ_SEED=<first>
 * FUZZ_RUNS=<number>.
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import { test } from "vitest";
import { memoryOutbox } from "../../src/client/outbox/memory.ts";
import { tokensOf } from "../../src/client/connection/tokens.ts";
import { SharedSender } from "../../src/client/outbox/shared-sender.ts";
import type { OutboxStorage } from "../../src/client/outbox/types.ts";
import { joinQueue } from "../../src/client/tabs/queue.ts";
import type { Raw } from "../../src/protocol/frames.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { until } from "../support/until.ts";

const FIRST = Number(process.env["FUZZ_SEED"] ?? 1);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 60);
const STEPS = 120;

const turn = async (): Promise<void> => {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
};

/** What a room stores, each id once. */
class Server {
  readonly log: string[] = [];

  store(id: string): number {
    const known = this.log.indexOf(id);
    return known === -1 ? this.log.push(id) : known + 1;
  }
}

/** A storage that all tabs know by a name. */
interface NamedStorage extends OutboxStorage {
  readonly name: string;
}

/** A storage that takes its time, as that of a browser does, and has one queue for all. */
function slowStorage(name: string): NamedStorage {
  const inner = memoryOutbox();
  return {
    load: async (box) => {
      await turn();
      return await inner.load(box);
    },
    add: async (box, message) => {
      await turn();
      await inner.add(box, message);
    },
    remove: async (box, ids) => {
      await turn();
      await inner.remove(box, ids);
    },
    name,
  };
}

class Tab {
  readonly #server: Server;
  /** Which tab has each message on its way. */
  readonly #onTheirWay: Map<string, Tab>;
  readonly sender: SharedSender;
  readonly own: string[] = [];
  readonly receipts = new Map<string, number>();
  /** Frames that the server has not seen yet. */
  #frames: string[] = [];
  #isOpen = false;
  isGone = false;

  constructor(server: Server, onTheirWay: Map<string, Tab>, storage: NamedStorage) {
    this.#server = server;
    this.#onTheirWay = onTheirWay;
    const clock = { now: () => Date.now(), after: () => () => {} };
    this.sender = new SharedSender(
      { storage },
      {
        context: { clock, tokens: tokensOf(undefined, clock) },
        box: "box",
        room: { member: "ann", join: () => Promise.resolve() },
        line: {
          send: ({ id }) => {
            const other = this.#onTheirWay.get(id);
            ok(other === undefined || other === this, `${id} is sent by two tabs`);
            this.#onTheirWay.set(id, this);
            this.#frames.push(id);
          },
        },
      },
      (box, member) => joinQueue(`${storage.name} ${box}`, member),
    );
    void this.sender.restore();
  }

  publish(id: string): void {
    this.own.push(id);
    const draft = { id, to: undefined, event: "say", payload: new Uint8Array(1) as Raw };
    this.sender.send(draft).then(
      ({ seq }) => this.receipts.set(id, seq),
      () => {},
    );
  }

  open(): void {
    if (this.isGone || this.#isOpen) return;
    this.#isOpen = true;
    this.sender.opened();
  }

  lose(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#frames = [];
    for (const [id, tab] of this.#onTheirWay) if (tab === this) this.#onTheirWay.delete(id);
    this.sender.lost();
  }

  /** The server takes some of what is on its way; not every answer comes back before the connection breaks. */
  serve(count: number, isAnswered: boolean): void {
    if (!this.#isOpen) return;
    const published = this.#frames
      .splice(0, count)
      .map((id) => ({ id, seq: this.#server.store(id) }));
    if (!isAnswered) {
      this.lose();
      return;
    }
    for (const { id } of published) this.#onTheirWay.delete(id);
    if (published.length > 0) this.sender.answered(published);
  }

  /** Closed in the middle of everything. */
  vanish(): void {
    this.lose();
    this.isGone = true;
    this.sender.finish(new Error("gone") as never);
  }
}

async function run(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const server = new Server();
  const onTheirWay = new Map<string, Tab>();
  const storage = slowStorage(`queue ${seed} ${crypto.randomUUID()}`);
  const tabs: Tab[] = [];
  let ids = 0;
  const living = (): Tab[] => tabs.filter(({ isGone }) => !isGone);
  const add = (): Tab => {
    const tab = new Tab(server, onTheirWay, storage);
    tabs.push(tab);
    return tab;
  };
  for (let step = 0; step < STEPS; step += 1) {
    const kind = random.next();
    const [first = add(), ...others] = living();
    const tab = random.pick([first, ...others]);
    if (kind < 0.3) for (let n = random.between(1, 4); n > 0; n -= 1) tab.publish(`m${(ids += 1)}`);
    else if (kind < 0.5) tab.open();
    else if (kind < 0.8) for (const one of living()) one.serve(random.between(0, 5), true);
    else if (kind < 0.85) tab.serve(random.between(0, 3), false);
    else if (kind < 0.9) tab.lose();
    else if (kind < 0.93 && living().length > 1) {
      // What a tab has told nobody and stored nowhere when it dies is gone with it.
      await turn();
      await turn();
      tab.vanish();
    } else if (living().length < 4) add();
    if (random.chance(0.7)) await turn();
  }
  const drained = (): boolean => {
    for (const tab of living()) {
      tab.open();
      tab.serve(100, true);
    }
    return server.log.length === ids && living().every(({ sender }) => sender.size.get() === 0);
  };
  await until("everything to be sent", drained, () =>
    JSON.stringify([server.log.length, ids, living().map(({ sender }) => sender.size.get())]),
  );
  deepStrictEqual(new Set(server.log).size, ids);
  for (const { own, receipts, isGone } of tabs) {
    deepStrictEqual(
      server.log.filter((id) => own.includes(id)),
      own,
    );
    if (!isGone)
      for (const id of own) deepStrictEqual(receipts.get(id), server.log.indexOf(id) + 1);
  }
  await turn();
  await turn();
  deepStrictEqual(await storage.load("box"), []);
  for (const tab of living()) tab.vanish();
}

test(`[W3][S7] ${RUNS} random lives of tabs with one queue, from seed ${FIRST}`, async () => {
  for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
    try {
      await run(seed);
    } catch (error) {
      throw new Error(`Failed with FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: error });
    }
  }
});
