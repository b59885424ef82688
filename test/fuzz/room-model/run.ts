/** Owns one random life of a room, from its seed. Refuses to know what is right: the world does. */
import { ok, strictEqual } from "node:assert/strict";
import type { RoomSettings } from "../../../durable-objects/room/settings.ts";
import { SeededRandom } from "../../support/seeded-random.ts";
import type { Device, DeviceFacts, Tempo } from "./device.ts";
import type { Link } from "./link.ts";
import { World } from "./world.ts";

/** Steps of one run. */
const STEPS = 120;

/** Steps that are shown when a run fails. */
const SHOWN_STEPS = 25;

/** Rounds in which everybody comes back and catches up at the end. */
const LAST_ROUNDS = 60;

/** Ann has two devices, and a viewer has none of the rights of a member. */
const CAST = [
  ["a", "ann"],
  ["b", "ann"],
  ["c", "cem"],
  ["d", "dee"],
  ["e", "eve"],
  ["v", "viewer"],
] as const;

const GENEROUS = { perSecond: 1e9, burst: 1e9 };

/**
 * Plays a run.
 *
 * @throws Error that names the seed and the last steps before what went wrong.
 */
export function play(seed: number): World {
  const run = new Run(seed);
  try {
    for (let step = 0; step < STEPS; step += 1) run.step();
    run.finish();
  } catch (error) {
    const steps = run.trace.slice(-SHOWN_STEPS).join("; ");
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`FUZZ_SEED=${seed}: ${message}\nafter: ${steps}`, { cause: error });
  }
  return run.world;
}

class Run {
  readonly trace: string[] = [];
  readonly world: World;
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const facts = CAST.map(([name, member]) => this.#facts(name, member));
    this.world = new World(this.#random, this.#settings(), facts);
  }

  step(): void {
    const random = this.#random;
    const device = random.pick(this.world.devices as [Device, ...Device[]]);
    const kind = random.next();
    if (device.link === undefined) {
      if (kind < 0.5) this.#join(device);
      else this.#elsewhere(random.next());
      return;
    }
    if (kind < 0.22) this.#say(device);
    else if (kind < 0.3) this.#show(device);
    else if (kind < 0.34) this.#repeat(device);
    else if (kind < 0.42) this.#ack(device);
    else if (kind < 0.48) this.#part(device, device.link);
    else if (kind < 0.8) this.#carry();
    else this.#elsewhere(random.next());
  }

  /** Everybody comes back, behaves, and in the end has everything. */
  finish(): void {
    const { world } = this;
    this.trace.push("finish");
    for (let round = 0; ; round += 1) {
      ok(round < LAST_ROUNDS, "somebody never caught up");
      for (const device of world.devices) {
        device.facts.tempo = "eager";
        if (device.link !== undefined) continue;
        device.isLeaving = false;
        world.open(device, this.#random.chance(0.5));
      }
      world.settle();
      for (const device of world.devices) {
        device.ack();
        if (device.wasLimited) device.retry();
      }
      world.settle();
      // Long enough for every ghost to be found.
      world.pass(world.isLimited ? 2_000 : 600_000);
      world.settle();
      const isDone = world.devices.every(
        ({ link, hasAll, outbox }) => link !== undefined && hasAll && outbox.size === 0,
      );
      if (isDone && world.links.every(({ silentSince }) => silentSince === undefined)) break;
      if (world.isLimited) world.pass(600_000);
    }
    world.assertRest();
    strictEqual(world.links.length, world.devices.length);
    world.truth.audit(world.room.log);
    for (const member of ["cem", "dee", "eve"]) world.post.assertDelivered(member);
  }

  #elsewhere(kind: number): void {
    const { world } = this;
    if (kind < 0.5) this.#carry();
    else if (kind < 0.62) this.#pass();
    else if (kind < 0.66) this.#note("silent", () => world.openSilently());
    else if (kind < 0.78) this.#note("sleep", () => world.sleep());
    else if (kind < 0.84) this.#note("crash", () => world.crash());
    else if (kind < 0.86) this.#note("wipe", () => world.wipe());
    else {
      this.#note("rest", () => {
        world.settle();
        world.assertRest();
      });
    }
  }

  #join(device: Device): void {
    const random = this.#random;
    const isFresh = random.chance(0.15);
    const history = random.chance(0.3) ? undefined : random.between(0, 40);
    const eagerly = random.chance(0.5);
    device.isLeaving = false;
    this.#note(`${device.facts.name} joins${isFresh ? ` with ${history}` : ""}`, () => {
      if (isFresh || device.position === undefined) device.forget(history);
      this.world.open(device, eagerly);
    });
  }

  #say(device: Device): void {
    if (device.facts.door === "viewer") return;
    const random = this.#random;
    const to = random.chance(0.25) ? random.pick(["ann", "cem", "dee", "eve"]) : undefined;
    const count = random.chance(0.3) ? random.between(2, 30) : 1;
    const length = random.chance(0.07) ? random.between(5_000, 40_000) : random.between(0, 60);
    this.#note(`${device.facts.name} says ${count}×${length} to ${to ?? "all"}`, () => {
      for (let n = 0; n < count; n += 1) device.say({ n, text: "x".repeat(length) }, to);
    });
  }

  #show(device: Device): void {
    if (device.facts.door === "viewer") return;
    const state = this.#random.chance(0.2) ? null : { at: this.#random.between(0, 3) };
    this.#note(`${device.facts.name} shows`, () => device.show(state));
  }

  #repeat(device: Device): void {
    const frames = [
      ...device.outbox.values(),
      ...[...device.answered.values()].map(({ frame }) => frame),
    ];
    const frame = frames[this.#random.between(0, frames.length - 1)];
    if (frame === undefined) return;
    this.#note(`${device.facts.name} repeats ${frame.id}`, () => device.repeat(frame));
  }

  #ack(device: Device): void {
    this.#note(`${device.facts.name} acks`, () => device.ack());
  }

  #part(device: Device, link: Link): void {
    const kind = this.#random.next();
    if (kind < 0.4) this.#note(`${device.facts.name} breaks`, () => this.world.cut(link));
    else if (kind < 0.5) {
      this.#note(`${device.facts.name} breaks in sleep`, () => this.world.sleep(link));
    } else if (kind < 0.75)
      this.#note(`${device.facts.name} vanishes`, () => this.world.vanish(link));
    else if (device.isWelcome && device.facts.door === "member") {
      device.isLeaving = true;
      this.#note(`${device.facts.name} leaves`, () => link.up.push({ kind: "leave" }));
    }
  }

  #carry(): void {
    const random = this.#random;
    const link = this.world.links[random.between(0, this.world.links.length - 1)];
    if (link === undefined) return;
    const count = random.chance(0.5) ? Infinity : random.between(1, 5);
    const isUp = random.chance(0.5);
    this.#note(`${count} ${isUp ? "from" : "to"} ${link.device}`, () =>
      isUp ? this.world.carryUp(link, count) : this.world.carryDown(link, count),
    );
  }

  #pass(): void {
    const ms = this.#random.pick([1, 4, 8, 50, 100, 1_000, 10_000, 70_000, 400_000]);
    this.#note(`${ms} ms`, () => this.world.pass(ms));
  }

  #note(what: string, act: () => unknown): void {
    this.trace.push(what);
    act();
  }

  #facts(name: string, member: string): DeviceFacts {
    const random = this.#random;
    const isTight = random.chance(0.6);
    return {
      name,
      member,
      door: member === "viewer" ? "viewer" : "member",
      credit: {
        messages: isTight ? random.between(1, 30) : random.between(30, 300),
        bytes: isTight ? random.between(1, 3_000) : random.between(3_000, 300_000),
      },
      tempo: random.pick<Tempo>(["eager", "half", "half", "lazy"]),
    };
  }

  #settings(): RoomSettings {
    const random = this.#random;
    const isLimited = random.chance(0.1);
    const isShort = random.chance(0.6);
    return {
      retention: {
        maxEntries: isShort ? random.between(1, 60) : 10_000,
        ...(random.chance(0.2) ? { maxBytes: random.between(1, 100_000) } : {}),
        ...(random.chance(0.3) ? { maxAgeMs: random.between(1_000, 500_000) } : {}),
      },
      laggards: random.chance(0.2) ? "disconnect" : "replay",
      patienceMs: 60_000,
      messageRate: isLimited ? { perSecond: 10, burst: 20 } : GENEROUS,
      byteRate: GENEROUS,
      joinRate: GENEROUS,
      maxConnections: 1_000,
      replicas: 0,
    };
  }
}
