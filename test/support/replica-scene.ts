/**
 * Owns a log, replicas of it and their readers outside the platform: storage in memory, and calls between objects that
 * take a while, are lost, or lose their answers. Refuses to decide what happens when.
 */
import { Followers } from "../../durable-objects/replica/followers.ts";
import type { Push, PushAnswer, Standing } from "../../durable-objects/replica/feed.ts";
import { PUSH_PAGE } from "../../durable-objects/replica/limits.ts";
import { Replica } from "../../durable-objects/replica/replica.ts";
import { type Log, openLog } from "../../durable-objects/log/log.ts";
import type { Sql } from "../../durable-objects/log/sql.ts";
import type { Retention } from "../../durable-objects/log/retention.ts";
import { settingsFor } from "../../durable-objects/room/settings.ts";
import { encodeClientFrame } from "../../src/protocol/encode-client-frame.ts";
import { encodeEntry } from "../../src/protocol/encode-server-frame.ts";
import { OPEN_PERMIT } from "../../src/protocol/permit.ts";
import type { ReaderStart } from "../../src/protocol/reader-start.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeSocket } from "./fake-socket.ts";
import { MemorySql } from "./memory-sql.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** How badly objects reach each other: chances of each call. */
export interface Weather {
  readonly lost: number;
  readonly answerLost: number;
  /** Turns of promises that a call takes at most, each way. */
  readonly slow: number;
}

export const FAIR: Weather = { lost: 0, answerLost: 0, slow: 3 };

/** Storage that is no longer there for a life that is over. */
function whileAlive(sql: MemorySql, isAlive: () => boolean): Sql {
  return {
    exec(query, ...bindings) {
      if (!isAlive()) throw new Error("gone");
      return sql.exec(query, ...bindings);
    },
  };
}

/** The log's own object. */
export class Source {
  readonly #scene: ReplicaScene;
  readonly #sql = new MemorySql();
  readonly #retention: Retention;
  log: Log;
  followers: Followers;
  /** Grows with each life: what an earlier one still waits for never comes. */
  life = 0;
  readonly reported: unknown[] = [];

  constructor(scene: ReplicaScene, retention: Retention) {
    this.#scene = scene;
    this.#retention = retention;
    [this.log, this.followers] = this.#open();
  }

  /** Its process is killed, or it has slept: what is stored stays. */
  restart(): void {
    this.life += 1;
    [this.log, this.followers] = this.#open();
  }

  /** Publishes `count` messages in one row; each says its own number. */
  append(count: number): void {
    const { tail } = this.log;
    const entries = Array.from({ length: count }, (_, n) =>
      encodeEntry({
        sender: "ann",
        at: this.#scene.clock.now(),
        event: "tick",
        payload: encodeValue(tail + 1 + n),
        id: "",
      }),
    );
    this.log.append({ entries: Uint8Array.from(entries.flatMap((e) => [...e])), count, ids: "" });
    this.followers.tell();
  }

  follow(name: string): Standing {
    const { epoch, head, tail } = this.log;
    this.followers.add(name);
    return { epoch, head, tail };
  }

  #open(): [Log, Followers] {
    const { clock, random } = this.#scene;
    const { life } = this;
    const sql = whileAlive(this.#sql, () => life === this.life);
    const log = openLog(sql, { clock, random: random.next, retention: this.#retention });
    const followers = new Followers({
      log,
      clock,
      random: random.next,
      push: async (name, push) => {
        const answer = await this.#scene.call(() => this.#scene.take(name, push));
        // Whoever is dead waits for ever.
        if (life !== this.life) await new Promise(() => {});
        return answer;
      },
      onPause: () => {},
      report: (error) => this.reported.push(error),
    });
    return [log, followers];
  }
}

/** Somebody who reads a replica. */
export interface Reader {
  readonly socket: FakeSocket;
  /** The log's end when it was let in. */
  readonly tailThen: number;
}

/** An object that holds a replica. */
export class Holder {
  readonly name: string;
  readonly #scene: ReplicaScene;
  #sql = new MemorySql();
  #existing: Replica | undefined;
  #life = 0;
  #sockets: FakeSocket[] = [];

  constructor(scene: ReplicaScene, name: string) {
    this.#scene = scene;
    this.name = name;
  }

  get replica(): Replica {
    this.#existing ??= this.#open([]);
    return this.#existing;
  }

  async take(push: Push): Promise<PushAnswer> {
    return (await this.#existing?.take(push)) ?? { kind: "idle" };
  }

  /** Lets a reader in, or throws. */
  async join(start: ReaderStart): Promise<Reader> {
    const { replica } = this;
    using _reader = replica.expectReader();
    const standing = await this.#follow();
    await replica.catchUp(standing);
    // Killed meanwhile.
    if (replica !== this.#existing) throw new Error("gone");
    const socket = new FakeSocket();
    this.#sockets.push(socket);
    replica.audience.connect(socket, { door: "viewer", permit: OPEN_PERMIT }, start);
    // As a Worker does, so that it is known to be there.
    acknowledge(replica, socket, 0);
    return { socket, tailThen: standing.tail };
  }

  /** What its alarm does. */
  async look(): Promise<void> {
    const replica = this.#existing;
    if (replica === undefined) return;
    if (replica.isIdle) {
      this.#existing = undefined;
      this.#life += 1;
      this.#sql = new MemorySql();
      return;
    }
    await replica.catchUp(await this.#follow());
  }

  /** Sleeps, and wakes with the sockets that are open. */
  sleep(): void {
    this.#sockets = this.#sockets.filter(({ closed, isLost }) => closed === undefined && !isLost);
    if (this.#existing !== undefined) this.#existing = this.#open(this.#sockets);
  }

  /** Its process is killed: what is stored stays. */
  kill(): void {
    for (const socket of this.#sockets) socket.isLost = true;
    this.sleep();
  }

  async #follow(): Promise<Standing> {
    const { scene, name } = { scene: this.#scene, name: this.name };
    return await scene.call(async () => await Promise.resolve(scene.source.follow(name)));
  }

  #open(sockets: readonly FakeSocket[]): Replica {
    const scene = this.#scene;
    this.#life += 1;
    const life = this.#life;
    return new Replica({
      sql: whileAlive(this.#sql, () => life === this.#life),
      clock: scene.clock,
      random: scene.random.next,
      newId: () => "reader",
      settings: { ...settingsFor("room"), joinRate: { perSecond: 1e6, burst: 1e6 } },
      sockets,
      lastBeat: () => scene.clock.now(),
      report: ({ cause }) => {
        throw cause;
      },
      read: async (seq, epoch) =>
        await scene.call(async () => {
          const { log } = scene.source;
          const from = log.resolve({ epoch, seq });
          return await Promise.resolve(
            from.kind === "gap" ? from : log.readAfter(from.seq, PUSH_PAGE),
          );
        }),
    });
  }
}

export class ReplicaScene {
  readonly clock = new FakeClock();
  readonly random: SeededRandom;
  readonly source: Source;
  readonly holders: readonly Holder[];
  weather: Weather = FAIR;

  constructor(
    random: SeededRandom,
    { replicas, retention }: { replicas: number; retention: Retention },
  ) {
    this.random = random;
    this.source = new Source(this, retention);
    this.holders = Array.from({ length: replicas }, (_, n) => new Holder(this, `room#${n}`));
  }

  async take(name: string, push: Push): Promise<PushAnswer> {
    const holder = this.holders.find((one) => one.name === name);
    if (holder === undefined) throw new Error("nobody of that name");
    return await holder.take(push);
  }

  /** A call from one object to another. */
  async call<T>(ask: () => Promise<T>): Promise<T> {
    const { random } = this;
    const { lost, answerLost } = this.weather;
    await this.hop();
    if (random.chance(lost)) throw new Error("lost");
    const answer = await ask();
    await this.hop();
    if (random.chance(answerLost)) throw new Error("answer lost");
    return answer;
  }

  /** Lets others go on for a moment. */
  async hop(): Promise<void> {
    for (let n = this.random.between(0, this.weather.slow); n > 0; n -= 1) await Promise.resolve();
  }
}

/** Acknowledges everything that a reader was sent. */
export function acknowledge(replica: Replica, socket: FakeSocket, seq: number): void {
  const frame = encodeClientFrame({ kind: "ack", seq, mail: 0 });
  replica.audience.receive(socket, frame.slice().buffer);
}
