import { beforeEach, describe, expect, it } from "vitest";
import { Room } from "../../../durable-objects/room/room.ts";
import { settingsFor } from "../../../durable-objects/room/settings.ts";
import { MAIL_TTL_MS } from "../../../durable-objects/log/limits.ts";
import { encodeClientFrame } from "../../../src/protocol/encode-client-frame.ts";
import type { ClientFrame, Credit, HelloFrame } from "../../../src/protocol/frames.ts";
import { DEAD_AFTER_MS, HELLO_TIMEOUT_MS, SWEEP_MS } from "../../../src/protocol/limits.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeSocket } from "../../support/fake-socket.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { OPEN_PERMIT } from "../../../src/protocol/permit.ts";

let clock: FakeClock;
let room: Room;
let beats: Map<unknown, number>;

beforeEach(() => {
  clock = new FakeClock();
  beats = new Map();
  let ids = 0;
  room = new Room({
    sql: new MemorySql(),
    transact: (run) => {
      run();
    },
    clock,
    random: () => 0.5,
    newId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    settings: settingsFor("room", undefined),
    sockets: [],
    lastBeat: (socket) => beats.get(socket),
    report: ({ cause }) => {
      throw cause;
    },
  });
});

function connect(): FakeSocket {
  const socket = new FakeSocket();
  room.audience.connect(socket, { door: "member", permit: OPEN_PERMIT });
  return socket;
}

function say(socket: FakeSocket, frame: ClientFrame): void {
  room.receive(socket, encodeClientFrame(frame).slice().buffer);
}

function join(member: string, options: Partial<HelloFrame> = {}): FakeSocket {
  const socket = connect();
  say(socket, {
    kind: "hello",
    resume: undefined,
    mail: undefined,
    history: undefined,
    state: undefined,
    credit: undefined,
    ...options,
    member,
  });
  return socket;
}

function publish(socket: FakeSocket, id: string, event = "tick"): void {
  say(socket, { kind: "publish", id, event, payload: encodeValue(id) });
}

const goneIn = (socket: FakeSocket): readonly string[] =>
  socket.of("presenceDiff").flatMap(({ gone }) => gone);

/** Lets time pass in which the runtime answers the beats of these. */
async function beatFor(ms: number, sockets: readonly FakeSocket[]): Promise<void> {
  await clock.advance(ms);
  for (const socket of sockets) beats.set(socket, clock.now());
}

describe("[W2] connections that are given up", () => {
  it("[W4] P20 each has ten seconds for its hello, whenever it came", async () => {
    const first = connect();
    await clock.advance(HELLO_TIMEOUT_MS / 2);
    const second = connect();
    const polite = join("ann");
    await clock.advance(HELLO_TIMEOUT_MS / 2);
    expect([first.closed?.code, second.closed]).toEqual([4408, undefined]);
    await clock.advance(HELLO_TIMEOUT_MS);
    expect([second.closed?.code, polite.closed]).toEqual([4408, undefined]);
    expect(clock.armed).toBe(0);
  });

  it("[W2] [W6] P75 are those that no longer beat: their members leave once", async () => {
    const alive = join("ann");
    const dead = join("bob");
    const deadToo = join("bob");
    await beatFor(DEAD_AFTER_MS - 1, [alive]);
    room.sweep();
    expect(room.audience.size).toBe(3);
    await beatFor(1, [alive]);
    room.sweep();
    await clock.advance(1_000);
    expect([dead.closed?.code, deadToo.closed?.code, alive.closed]).toEqual([
      4408,
      4408,
      undefined,
    ]);
    room.audience.disconnect(dead);
    room.audience.disconnect(deadToo);
    await clock.advance(1_000);
    expect(goneIn(alive)).toEqual(["bob"]);
    expect(room.stats()).toMatchObject({ members: 1, connections: 1, live: 1 });
    expect(clock.armed).toBe(0);
  });

  it("[W2] lives as long as it beats", async () => {
    const alive = join("ann");
    for (let n = 0; n < 50; n += 1) {
      await beatFor(25_000, [alive]);
      room.sweep();
    }
    expect(alive.closed).toBeUndefined();
  });

  it("[W2] finds the dead when a frame comes in, without an alarm", async () => {
    const alive = join("ann");
    const dead = join("bob");
    await beatFor(SWEEP_MS, [alive]);
    publish(alive, "1");
    expect([dead.closed?.code, alive.closed]).toEqual([4408, undefined]);
  });
});

describe("[B3] patience", () => {
  const credit: Credit = { messages: 1, bytes: 1_000 };

  it("[B3] P52 ends for who takes nothing, not for who is slow", async () => {
    const bob = join("bob");
    const stuck = join("stuck", { credit });
    const slow = join("slow", { credit });
    for (let n = 1; n <= 5; n += 1) {
      publish(bob, String(n));
      // A row each: a page is never less than a row.
      await clock.advance(10);
    }
    expect(room.stats()).toMatchObject({ lagging: 2 });
    // Nobody may be mistaken for dead here.
    const all = [bob, stuck, slow];
    await beatFor(40_000, all);
    say(slow, { kind: "ack", seq: 1, mail: 0 });
    await beatFor(20_000, all);
    room.sweep();
    expect([stuck.closed?.code, slow.closed]).toEqual([4410, undefined]);
    await beatFor(40_000, all);
    room.sweep();
    expect(slow.closed?.code).toBe(4410);
    expect(bob.closed).toBeUndefined();
  });

  it("[I5] P54 ends for who takes none of the answers it asks for", async () => {
    const bob = join("bob");
    const ann = join("ann");
    for (let n = 0; n < 50_000 && ann.closed === undefined; n += 1) {
      publish(ann, `id-${n}`, "not a name");
      // Slow enough for the rate, which is another reason to be closed.
      if (n % 100 === 99) await clock.advance(2_000);
      beats.set(ann, clock.now());
      beats.set(bob, clock.now());
    }
    expect(ann.closed?.code).toBe(4410);
    const bytes = ann.sent.reduce((sum, frame) => sum + frame.byteLength, 0);
    expect(bytes).toBeLessThan(1_100_000);
    publish(bob, "1");
    await clock.advance(10);
    expect(bob.of("deliver")).toHaveLength(1);
  });
});

describe("[W4] frames that mean nothing", () => {
  it("[W4] acks without end cost their sender the connection, and honest ones nothing", async () => {
    const bob = join("bob");
    const ann = join("ann");
    for (let n = 0; n < 100_000 && ann.closed === undefined; n += 1) {
      say(ann, { kind: "ack", seq: 0, mail: 0 });
    }
    expect(ann.closed?.code).toBe(4429);
    for (let second = 0; second < 30; second += 1) {
      for (let n = 0; n < 250; n += 1) say(bob, { kind: "ack", seq: 0, mail: 0 });
      await clock.advance(1_000);
    }
    expect(bob.closed).toBeUndefined();
  });

  it("[W5] a mail number that was never given silences nobody", () => {
    const bob = join("bob", { resume: { epoch: room.log.epoch, seq: 0 }, mail: 2 ** 53 - 1 });
    const ann = join("ann");
    say(ann, {
      kind: "direct",
      id: "d1",
      to: "bob",
      event: "whisper",
      payload: encodeValue("psst"),
    });
    expect(bob.of("mail")).toHaveLength(1);
  });
});

describe("[W5] what waits", () => {
  const direct = (id: string): ClientFrame => ({
    kind: "direct",
    id,
    to: "bob",
    event: "whisper",
    payload: encodeValue(id),
  });

  it("[W5] P60 P61 waits until it expires, and leaves a hole in the numbers", async () => {
    const ann = join("ann");
    say(ann, direct("old"));
    await clock.advance(MAIL_TTL_MS);
    say(ann, direct("new"));
    await clock.advance(1);
    const bob = join("bob");
    const mails = bob.of("mail").flatMap(({ entries }) => entries);
    expect(mails.map(({ id, mail }) => [id, mail])).toEqual([["new", 2]]);
    room.sweep();
    expect(room.stats()).toMatchObject({ mailWaiting: 1 });
  });

  it("[I4] P56 says what became too old to be kept", async () => {
    const ann = join("ann");
    publish(ann, "1");
    await clock.advance(8 * 86_400_000);
    publish(ann, "2");
    await clock.advance(10);
    const bob = join("bob", { resume: { epoch: room.log.epoch, seq: 0 } });
    expect(bob.of("gap")).toMatchObject([{ reason: "trimmed", from: 1, to: 1 }]);
    expect(bob.of("deliver")).toMatchObject([{ first: 2, entries: [{ id: "2" }] }]);
  });
});
