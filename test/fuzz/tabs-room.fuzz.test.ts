/**
 * Random tabs at one membership of a room: they come, go, are slow, publish, lose the connection. Each
 * must have the log from where it began, once and in order, and the answer to each message that it sent.
 * Another set of seeds: FUZZ_SEED=<first> FUZZ_RUNS=<number>.
 */
import { deepStrictEqual, ok } from "node:assert/strict";
import { test } from "vitest";
import type { Entry, HelloFrame, Raw, ServerFrame } from "../../src/protocol/frames.ts";
import type { RoomCommand, RoomEvent } from "../../src/client/room/transport.ts";
import { RoomLine } from "../../src/client/tabs/room-line.ts";
import type { Link, LinkObserver } from "../../src/client/transport.ts";
import { SeededRandom } from "../support/seeded-random.ts";

const FIRST = Number(process.env["FUZZ_SEED"] ?? 1);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 200);
const STEPS = 300;
const EPOCH = "e";
const WINDOW = 64;

/** The server's side of one connection; messages have their id for a payload. */
class Upstream implements Link<RoomCommand> {
  readonly #log: Entry[];
  readonly #hello: HelloFrame;
  readonly #observer: LinkObserver<RoomEvent>;
  readonly #answers: ServerFrame[] = [];
  #next: number;
  #acked: number;
  #isOpen = false;
  isOver = false;

  constructor(log: Entry[], hello: HelloFrame, observer: LinkObserver<RoomEvent>) {
    this.#log = log;
    this.#hello = hello;
    this.#observer = observer;
    this.#next = hello.resume?.seq ?? Math.max(0, log.length - (hello.history ?? 0));
    this.#acked = this.#next;
  }

  send(command: RoomCommand): void {
    ok(this.#isOpen, "spoke before the welcome");
    if (command.kind === "ack") this.#acked = Math.max(this.#acked, command.seq);
    if (command.kind !== "publish") return;
    const { id, event } = command;
    let index = this.#log.findIndex((entry) => entry.id === id);
    if (index === -1) index = this.#log.push({ sender: "ann", at: 0, event, payload: id, id }) - 1;
    this.#answers.push({ kind: "published", published: [{ id, seq: index + 1 }] });
  }

  probe(): void {}

  close(): void {
    this.isOver = true;
  }

  run(count: number): void {
    if (!this.#isOpen) {
      this.#isOpen = true;
      const head = this.#log.length;
      if (this.#hello.resume === undefined && (this.#hello.history ?? 0) === 0) this.#next = head;
      this.#acked = this.#next;
      this.#tell({
        kind: "welcome",
        member: "ann",
        connection: "c",
        epoch: EPOCH,
        head,
        heartbeat: 25_000,
        credit: { messages: WINDOW, bytes: 1_000_000 },
        presence: { count: 1, members: [{ member: "ann", state: null }], complete: true },
        limits: { message: 1, frame: 1, state: 1 },
      });
      this.#observer.opened(this.#hello.resume !== undefined && this.#next < head);
    }
    for (const answer of this.#answers.splice(0)) if (!this.isOver) this.#tell(answer);
    const room = WINDOW - (this.#next - this.#acked);
    const entries = this.#log.slice(this.#next, this.#next + Math.min(count, room));
    if (entries.length === 0 || this.isOver) return;
    const first = this.#next + 1;
    this.#next += entries.length;
    this.#tell({ kind: "deliver", first, entries });
  }

  fail(): void {
    this.isOver = true;
    this.#observer.failed({ code: "network", message: "", reconnect: "backoff" });
  }

  #tell(frame: ServerFrame): void {
    this.#observer.event({ frame, bytes: 10 });
  }
}

/** A tab that consumes when it likes, acks as a client does, and comes back when its connection failed. */
class Tab implements LinkObserver<RoomEvent> {
  readonly #line: RoomLine;
  readonly #history: number;
  readonly #unsent = new Set<string>();
  #link: Link<RoomCommand> | undefined;
  #received: number | undefined;
  #isOpen = false;
  #window = 1;
  #untaken = 0;
  #consumed = 0;
  readonly got: unknown[] = [];
  first: number | undefined;

  constructor(line: RoomLine, history: number) {
    this.#line = line;
    this.#history = history;
  }

  get isAnswered(): boolean {
    return this.#unsent.size === 0;
  }

  join(): void {
    if (this.#link !== undefined) return;
    const seq = this.#received;
    this.#link = this.#line.open(
      {
        kind: "hello",
        member: "ann",
        resume: seq === undefined ? undefined : { epoch: EPOCH, seq },
        mail: undefined,
        history: this.#history,
        state: undefined,
        credit: undefined,
      },
      this,
    );
  }

  publish(id: string): void {
    this.#unsent.add(id);
    this.#send(id);
  }

  take(count: number): void {
    const taken = Math.min(count, this.#untaken);
    this.#untaken -= taken;
    this.#consumed += taken;
    if (this.#consumed * 2 < this.#window || this.#received === undefined) return;
    this.#consumed = 0;
    this.#link?.send({ kind: "ack", seq: this.#received - this.#untaken, mail: 0 });
  }

  leave(): void {
    this.#link?.close();
    this.#lose();
  }

  opened(): void {
    this.#isOpen = true;
    for (const id of this.#unsent) this.#send(id);
  }

  caughtUp(): void {}
  retry(): void {}

  event({ frame }: RoomEvent): void {
    if (frame.kind === "welcome") {
      this.#window = frame.credit.messages;
      if (this.#received === undefined && this.#history === 0) this.#begin(frame.head);
    } else if (frame.kind === "published") {
      for (const { id } of frame.published) this.#unsent.delete(id);
    } else if (frame.kind === "deliver") {
      if (this.#received === undefined) this.#begin(frame.first - 1);
      const received = this.#received ?? 0;
      ok(frame.first <= received + 1, `a hole between ${received} and ${frame.first}`);
      const fresh = frame.entries.slice(received + 1 - frame.first);
      this.got.push(...fresh.map(({ payload }) => payload));
      this.#received = received + fresh.length;
      this.#untaken += fresh.length;
    }
  }

  failed(): void {
    this.#lose();
  }

  #begin(seq: number): void {
    this.#received = seq;
    this.first = seq;
  }

  #send(id: string): void {
    const payload = new Uint8Array() as Raw;
    if (this.#isOpen) this.#link?.send({ kind: "publish", id, event: "say", payload });
  }

  #lose(): void {
    this.#link = undefined;
    this.#isOpen = false;
    this.#untaken = 0;
    this.#consumed = 0;
  }
}

async function run(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const log: Entry[] = [];
  const upstreams = new Set<Upstream>();
  const line = new RoomLine((hello, observer) => {
    const upstream = new Upstream(log, hello, observer);
    upstreams.add(upstream);
    return upstream;
  }, "ann");
  const tabs: Tab[] = [];
  let ids = 0;
  const write = (): void => {
    ids += 1;
    log.push({ sender: "bob", at: 0, event: "say", payload: `b${ids}`, id: `b${ids}` });
  };
  const living = (): Upstream[] => [...upstreams].filter(({ isOver }) => !isOver);
  for (let step = 0; step < STEPS; step += 1) {
    const kind = random.next();
    if (kind < 0.2) {
      const count = random.chance(0.05) ? 700 : random.between(1, 8);
      for (let n = 0; n < count; n += 1) write();
    } else if (kind < 0.3) {
      for (const tab of tabs) if (random.chance(0.5)) tab.publish(`a${(ids += 1)}`);
    } else if (kind < 0.6) {
      for (const upstream of living()) if (random.chance(0.7)) upstream.run(random.between(0, 300));
    } else if (kind < 0.85) {
      for (const tab of tabs) if (random.chance(0.5)) tab.take(random.between(1, 100));
    } else if (kind < 0.9) {
      for (const upstream of living()) if (random.chance(0.5)) upstream.fail();
    } else if (kind < 0.93) {
      for (const tab of tabs) if (random.chance(0.3)) tab.leave();
    } else if (tabs.length < 5) {
      tabs.push(new Tab(line, random.pick([0, 10, 100])));
    }
    for (const tab of tabs) if (random.chance(0.8)) tab.join();
    await Promise.resolve();
  }
  // Everything calms down: all read on to the end.
  for (let round = 0; ; round += 1) {
    const before = tabs.map(({ got }) => got.length).join();
    for (const tab of tabs) tab.join();
    await Promise.resolve();
    for (const upstream of living()) upstream.run(1_000);
    for (const tab of tabs) tab.take(1_000);
    const isQuiet = before === tabs.map(({ got }) => got.length).join();
    const isDone = living().length <= 1 && tabs.every(({ isAnswered }) => isAnswered);
    if (isQuiet && round > 3 && isDone) break;
    ok(round < 20_000, "does not come to rest");
  }
  for (const { got, first } of tabs) {
    deepStrictEqual(
      got,
      log.slice(first ?? log.length).map(({ payload }) => payload),
    );
  }
}

test(`[S7][W3] ${RUNS} random lives of tabs at one membership of a room, from seed ${FIRST}`, async () => {
  for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
    try {
      await run(seed);
    } catch (error) {
      throw new Error(`Failed with FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: error });
    }
  }
});
