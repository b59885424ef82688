/**
 * Random lives of a log with replicas: objects sleep and are killed, calls are lost, late, or lose their answers, the
 * log forgets, and readers come, go on elsewhere where they were, and are slow. Each must have every message once and
 * in order, or be told what is no longer kept. Another set of seeds: FUZZ_SEED=<first> FUZZ_RUNS=<number>.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "vitest";
import { CLOSE } from "../../src/protocol/close-codes.ts";
import { parseServerFrame } from "../../src/protocol/parse-server-frame.ts";
import type { ReaderStart } from "../../src/protocol/reader-start.ts";
import type { FakeSocket } from "../support/fake-socket.ts";
import { acknowledge, FAIR, type Holder, ReplicaScene } from "../support/replica-scene.ts";
import { SeededRandom } from "../support/seeded-random.ts";

const FIRST = Number(process.env["FUZZ_SEED"] ?? 1);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 150);
const STEPS = 120;

/** Milliseconds for a seed, on a slow and busy machine. */
const SEED_MS = 1_000;

/** Milliseconds after which whatever was to be tried again is. */
const LATER_MS = 60_000;

/** Somebody who wants to have read everything. */
class Person {
  holder: Holder | undefined;
  socket: FakeSocket | undefined;
  /** What it has. */
  seq: number | undefined;
  #read = 0;
  readonly #scene: ReplicaScene;
  isComing = false;

  constructor(scene: ReplicaScene) {
    this.#scene = scene;
  }

  /** Reads what has come. */
  read(): void {
    const { socket } = this;
    if (socket === undefined) return;
    for (const bytes of socket.sent.slice(this.#read)) {
      this.#read += 1;
      const frame = parseServerFrame(bytes);
      if (frame === undefined) throw new Error("a frame of no known kind");
      if (frame.kind === "welcome") this.seq ??= frame.head;
      else if (frame.kind === "gap") {
        ok(frame.to < this.#scene.source.log.head, "what is still there is not lost");
        ok(frame.to >= (this.seq ?? 0), "nothing is lost that was read");
        this.seq = frame.to;
      } else if (frame.kind === "deliver") {
        strictEqual(frame.first, (this.seq ?? 0) + 1, "every message, once and in order");
        const numbers = frame.entries.map(({ payload }) => payload);
        deepStrictEqual(
          numbers,
          numbers.map((_, n) => frame.first + n),
        );
        this.seq = frame.first + numbers.length - 1;
      } else throw new Error(`an unexpected ${frame.kind}`);
    }
    if (socket.closed !== undefined) {
      strictEqual(socket.closed.code, CLOSE.restart.code);
      this.socket = undefined;
    }
    if (socket.isLost) this.socket = undefined;
  }

  async come(holder: Holder, fallback: ReaderStart): Promise<void> {
    if (this.isComing || this.socket !== undefined) return;
    this.isComing = true;
    const { epoch } = this.#scene.source.log;
    try {
      const isNew = this.seq === undefined;
      const start = this.seq === undefined ? fallback : { epoch, seq: this.seq };
      const { socket, tailThen } = await holder.join(start);
      [this.holder, this.socket, this.#read] = [holder, socket, 0];
      const [welcome] = socket.of("welcome");
      ok(welcome !== undefined && welcome.head >= tailThen, "it is let in at the log's end");
      if (isNew && typeof fallback === "object" && "newest" in fallback) {
        const from = Math.max(this.#scene.source.log.head - 1, welcome.head - fallback.newest);
        const [first] = socket.of("deliver");
        // The copy may have kept a little more than the log itself has by now.
        this.seq = first === undefined ? welcome.head : Math.min(first.first - 1, from);
      }
      this.read();
    } catch (thrown) {
      if (!(thrown instanceof Error) || !/lost|gone/.test(thrown.message)) throw thrown;
    } finally {
      this.isComing = false;
    }
  }

  leave(): void {
    this.read();
    if (this.socket === undefined) return;
    this.socket.isLost = true;
    this.holder?.replica.audience.disconnect(this.socket);
    this.socket = undefined;
  }

  acknowledge(): void {
    this.read();
    if (this.socket === undefined || this.holder === undefined) return;
    acknowledge(this.holder.replica, this.socket, this.seq ?? 0);
    this.read();
  }
}

async function live(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const retention = {
    ...(random.chance(0.5) ? { maxEntries: random.between(1, 200) } : {}),
    ...(random.chance(0.3) ? { maxAgeMs: random.between(1, 20_000) } : {}),
  };
  const scene = new ReplicaScene(random, { replicas: random.between(1, 4), retention });
  const [first, ...others] = scene.holders;
  ok(first !== undefined);
  const anyHolder = (): Holder => random.pick([first, ...others]);
  const people = Array.from({ length: random.between(1, 6) }, () => new Person(scene));
  const [someone, ...rest] = people;
  ok(someone !== undefined);
  const anybody = (): Person => random.pick([someone, ...rest]);
  const waiting: Promise<void>[] = [];
  const lost = (thrown: unknown): void => {
    if (!(thrown instanceof Error) || !/lost|gone/.test(thrown.message)) throw thrown;
  };
  const bad = { lost: random.next() * 0.3, answerLost: random.next() * 0.3, slow: 12 };
  for (let step = 0; step < STEPS; step += 1) {
    scene.weather = random.chance(0.5) ? bad : FAIR;
    const dice = random.between(0, 99);
    if (dice < 40) scene.source.append(random.chance(0.1) ? 200 : random.between(1, 5));
    else if (dice < 60) {
      const starts: [ReaderStart, ...ReaderStart[]] = ["now", "start", { newest: 10 }];
      const start = random.pick(starts);
      // Where the beginning is depends on what is kept: only who begins at the end knows what to expect.
      waiting.push(anybody().come(anyHolder(), start === "start" ? "now" : start));
    } else if (dice < 68) anybody().leave();
    else if (dice < 78) anybody().acknowledge();
    else if (dice < 83) scene.source.restart();
    else if (dice < 88) anyHolder().sleep();
    else if (dice < 90) anyHolder().kill();
    else if (dice < 94) {
      await scene.clock.advance(random.between(1, 1_000));
      scene.source.followers.tell();
    } else if (dice < 97) waiting.push(anyHolder().look().catch(lost));
    else scene.source.log.trim();
    await scene.hop();
    for (const person of people) person.read();
  }
  // The weather clears.
  scene.weather = FAIR;
  await Promise.all(waiting);
  for (let round = 0; round < 4; round += 1) {
    await scene.clock.advance(LATER_MS);
    scene.source.followers.tell();
    for (const holder of scene.holders) await holder.look();
    for (const person of people) {
      await person.come(anyHolder(), "now");
      person.acknowledge();
    }
    for (let n = 0; n < 2_000; n += 1) await Promise.resolve();
  }
  const { tail } = scene.source.log;
  for (let round = 0; round < 200 && people.some(({ seq }) => seq !== tail); round += 1) {
    for (const person of people) person.acknowledge();
  }
  for (const person of people) strictEqual(person.seq, tail, "all have all");
  deepStrictEqual(scene.source.reported, []);
}

test(
  `[E3][I3][I4][I7] ${RUNS} lives of a log with replicas, from seed ${FIRST}`,
  async () => {
    for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
      try {
        await live(seed);
      } catch (thrown) {
        throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause: thrown });
      }
    }
  },
  RUNS * SEED_MS,
);
