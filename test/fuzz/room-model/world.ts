/**
 * Owns a room's surroundings: storage, time, sockets that break, devices, and the lives of the room's
 * object between sleep, crashes and the loss of its storage. It holds everything the room does against what is true.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { openLog } from "../../../durable-objects/log/log.ts";
import { Mailbox } from "../../../durable-objects/log/mailbox.ts";
import { Room } from "../../../durable-objects/room/room.ts";
import type { RoomSettings } from "../../../durable-objects/room/settings.ts";
import { decodeValue } from "../../../src/protocol/value.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import { Device, type DeviceFacts } from "./device.ts";
import { Link } from "./link.ts";
import { Post } from "./post.ts";
import { Truth } from "./truth.ts";
import { TurnClock } from "./turn-clock.ts";
import { OPEN_PERMIT } from "../../../src/protocol/permit.ts";

/** Close codes that a device which follows the rules may meet: left, no hello or dead, slow, too fast. */
const EXPECTED_CLOSES = new Set([1000, 4408, 4410, 4429]);

/** Rounds in which everything under way arrives and every timer fires. */
const MAX_ROUNDS = 2_000;

export class World {
  readonly clock = new TurnClock();
  readonly truth = new Truth();
  readonly post = new Post();
  readonly devices: readonly Device[];
  readonly settings: RoomSettings;
  readonly random: SeededRandom;
  links: Link[] = [];
  room: Room;
  #sql = new MemorySql();
  #alarmAt: number | undefined;
  #spoken = 0;
  #names = 0;

  constructor(random: SeededRandom, settings: RoomSettings, devices: readonly DeviceFacts[]) {
    this.random = random;
    this.settings = settings;
    this.room = this.#open();
    this.devices = devices.map(
      (facts) =>
        new Device(facts, { truth: this.truth, post: this.post, head: () => this.room.log.head }),
    );
  }

  get isLimited(): boolean {
    return this.devices.some(({ wasLimited }) => wasLimited);
  }

  /** A device opens a connection and says hello. */
  open(device: Device, eagerly: boolean): void {
    const link = new Link(device.facts.name, device.facts.door);
    this.#accept(link);
    device.begin(link, { eagerly });
  }

  /** Somebody connects and never says a word. */
  openSilently(): void {
    this.#accept(new Link("", "member"));
  }

  /** Carries frames to the room, each in a turn of its own. */
  carryUp(link: Link, count: number): boolean {
    let moved = false;
    for (let n = 0; n < count && link.socket.closed === undefined; n += 1) {
      const up = link.takeUp();
      if (up === undefined) return moved;
      moved = true;
      if (up.frame.kind === "hello") {
        link.member = up.frame.member ?? "";
        link.state = up.frame.state === undefined ? null : decodeValue(up.frame.state);
        link.spoke = this.#spoken += 1;
      } else if (up.frame.kind === "presence") {
        link.state = decodeValue(up.frame.state);
        link.spoke = this.#spoken += 1;
      }
      this.room.receive(link.socket, up.bytes);
      this.#turned();
    }
    return moved;
  }

  /** Carries frames to a device, and then the close if the room has ended the connection. */
  carryDown(link: Link, count: number): boolean {
    const device = this.#deviceOf(link);
    let moved = false;
    for (let n = 0; n < count; n += 1) {
      const down = link.takeDown();
      if (down === undefined) break;
      moved = true;
      device?.take(down.frame, down.bytes);
    }
    const { closed } = link.socket;
    if (closed === undefined || (link.waiting > 0 && device !== undefined)) return moved;
    ok(EXPECTED_CLOSES.has(closed.code), `closed with ${closed.code}: ${closed.reason}`);
    ok(closed.code !== 1000 || device === undefined || device.isLeaving, "left against its will");
    device?.lose();
    this.links = this.links.filter((other) => other !== link);
    return true;
  }

  /** The connection breaks somewhere in the middle of what is under way; the room is told. */
  cut(link: Link): void {
    this.#carrySome(link);
    this.#deviceOf(link)?.lose();
    this.links = this.links.filter((other) => other !== link);
    link.socket.isLost = true;
    this.room.audience.disconnect(link.socket);
    link.socket.close(1000, "");
    this.#turned();
  }

  /** A device is gone without a trace: the room learns it from its silence only. */
  vanish(link: Link): void {
    this.#carrySome(link);
    this.#deviceOf(link)?.lose();
    link.silentSince = this.clock.now();
  }

  /** Lets time pass, timers and the alarm included. */
  pass(ms: number): void {
    const end = this.clock.now() + ms;
    for (;;) {
      const next = Math.min(this.clock.nextAt ?? Infinity, this.#alarmAt ?? Infinity);
      this.clock.moveTo(Math.min(next, end));
      if (this.#alarmAt !== undefined && this.#alarmAt <= this.clock.now()) {
        this.#alarmAt = undefined;
        this.room.sweep();
      }
      this.#turned();
      if (next > end) return;
    }
  }

  /**
   * Nothing happens for a while and the object leaves memory; its sockets stay. The socket whose
   * breaking wakes it is not among those that it finds.
   */
  sleep(broken?: Link): void {
    for (let seconds = 0; this.clock.armed > 0; seconds += 1) {
      ok(seconds < 60, "a timer keeps the room awake");
      this.pass(1_000);
    }
    for (const link of this.links) link.sleep(this.room.log.head);
    if (broken !== undefined && broken.socket.closed === undefined) {
      this.#deviceOf(broken)?.lose();
      broken.socket.isLost = true;
      this.links = this.links.filter((other) => other !== broken);
      this.room = this.#open();
      this.room.audience.disconnect(broken.socket);
    } else this.room = this.#open();
    this.#turned();
  }

  /** The object dies, with its sockets and whatever it had not written. */
  crash(): void {
    for (const link of this.links) {
      this.carryDown(link, this.random.between(0, link.waiting));
      this.#deviceOf(link)?.lose();
    }
    this.links = [];
    this.clock.forget();
    this.room = this.#open();
  }

  /** The log begins again: its storage was deleted, or reset. */
  wipe(): void {
    this.crash();
    this.clock.forget();
    this.clock.moveTo(this.clock.now() + this.random.between(1, 1_000));
    if (this.random.chance(0.5)) this.#sql = new MemorySql();
    else {
      const { clock, random, settings } = this;
      openLog(this.#sql, { clock, random: random.next, retention: settings.retention }).reset();
      new Mailbox(this.#sql, { clock }).clear();
    }
    this.room = this.#open();
    this.post.wipe();
    for (const { answered } of this.devices) answered.clear();
    this.#turned();
  }

  /** Lets everything that is under way arrive and every timer fire. */
  settle(): void {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      let moved = false;
      for (const link of this.links) {
        moved = this.carryUp(link, Infinity) || moved;
        moved = this.carryDown(link, Infinity) || moved;
      }
      if (moved) continue;
      const { nextAt } = this.clock;
      if (nextAt === undefined) return;
      this.pass(nextAt - this.clock.now());
    }
    ok(false, "the room never comes to rest");
  }

  /** What must hold whenever nothing is under way. */
  assertRest(): void {
    strictEqual(this.clock.armed, 0, "[P2] a timer is armed although nothing is under way");
    strictEqual(this.room.audience.size, this.links.length, "connections that nobody has");
    if (!this.isLimited) this.truth.assertOrder();
    const here = new Map(
      this.room.roster.list().map(({ member, state }) => [member, decodeValue(state)]),
    );
    const expected = this.#present();
    deepStrictEqual(
      [...here.keys()].toSorted(),
      [...expected.keys()].toSorted(),
      "[W6] who is here",
    );
    if (!this.isLimited)
      deepStrictEqual(
        here,
        new Map([...here.keys()].map((name) => [name, expected.get(name)])),
        "[W6] what they show",
      );
    for (const device of this.devices) {
      if (device.link === undefined) continue;
      const { name, tempo, door } = device.facts;
      ok(device.isWelcome, `${name} was never welcomed`);
      if (tempo !== "lazy")
        ok(device.hasAll, `[I3] ${name} stands at ${device.position?.seq} of ${this.truth.tail}`);
      if (!this.isLimited) strictEqual(device.outbox.size, 0, `[W3] ${name} was not answered`);
      if (!device.isCurrent || door === "viewer") continue;
      deepStrictEqual(sorted(device.view), sorted(here), `[W6] what ${name} sees`);
    }
  }

  #present(): Map<string, unknown> {
    const present = new Map<string, unknown>();
    for (const link of this.links.toSorted((a, b) => a.spoke - b.spoke)) {
      if (link.door === "member" && link.member !== undefined) present.set(link.member, link.state);
    }
    return present;
  }

  #deviceOf(link: Link): Device | undefined {
    return this.devices.find((device) => device.link === link);
  }

  #carrySome(link: Link): void {
    this.carryUp(link, this.random.between(0, link.up.length));
    this.carryDown(link, this.random.between(0, link.waiting));
  }

  #accept(link: Link): void {
    this.room.audience.admit();
    this.room.audience.connect(link.socket, { door: link.door, permit: OPEN_PERMIT });
    this.links.push(link);
    this.#turned();
  }

  #open(): Room {
    const { clock, random, settings } = this;
    return new Room({
      sql: this.#sql,
      transact: (run) => {
        run();
      },
      clock,
      random: random.next,
      newId: () => `c${(this.#names += 1)}`,
      settings,
      turns: { receivers: 1, next: (go) => clock.after(0, go) },
      sockets: this.links.map(({ socket }) => socket).filter(({ closed }) => closed === undefined),
      lastBeat: (socket) =>
        this.links.find((link) => link.socket === socket)?.silentSince ?? clock.now(),
      report: (error) => {
        throw error;
      },
    });
  }

  /** After each turn of the object. */
  #turned(): void {
    this.truth.witness(this.room.log);
    for (const link of this.links) link.inspect();
    const due = this.room.audience.nextSweepAt();
    if (due !== undefined && (this.#alarmAt === undefined || this.#alarmAt > due))
      this.#alarmAt = due;
  }
}

function sorted(view: ReadonlyMap<string, unknown>): readonly (readonly [string, unknown])[] {
  return [...view].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
