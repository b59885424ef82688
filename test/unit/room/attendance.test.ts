import { expect, test, vi } from "vitest";
import { acceptConnection, type Connection } from "../../../durable-objects/delivery/connection.ts";
import { Roster } from "../../../durable-objects/presence/roster.ts";
import { Attendance } from "../../../durable-objects/room/attendance.ts";
import { PRESENCE_COMPLETE_MEMBERS, PRESENCE_SAMPLE } from "../../../src/protocol/limits.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeSocket } from "../../support/fake-socket.ts";
import { OPEN_PERMIT } from "../../../src/protocol/permit.ts";

class Scene {
  readonly clock = new FakeClock();
  readonly roster = new Roster();
  readonly connections: Connection[] = [];
  readonly memory = new Map<string, string>();
  isFull = false;
  attendance = this.wake();

  wake(): Attendance {
    this.attendance = new Attendance({
      roster: this.roster,
      clock: this.clock,
      audience: () => this.connections,
      memory: this.memory,
      send: ({ socket }, frame) => {
        if (!this.isFull) socket.send(frame);
        return !this.isFull;
      },
    });
    return this.attendance;
  }

  listen(
    phase: Connection["phase"]["kind"],
    door: Connection["door"] = "member",
  ): {
    connection: Connection;
    socket: FakeSocket;
  } {
    const socket = new FakeSocket();
    const facts = { id: "c", door, joinedAt: 0, permit: OPEN_PERMIT } as const;
    const connection = acceptConnection(socket, facts);
    connection.phase = phase === "lagging" ? { kind: phase, cursor: 0, since: 0 } : { kind: phase };
    this.connections.push(connection);
    return { connection, socket };
  }

  come(member: string, state: unknown = null): void {
    this.roster.show(member, `of ${member}`, encodeValue(state));
    this.attendance.changed();
  }

  go(member: string): void {
    this.roster.hide(member, `of ${member}`);
    this.attendance.changed();
  }

  crowd(from: number, to: number): void {
    for (let n = from; n < to; n += 1) this.come(`m${n}`);
  }
}

test("[W6] the first change is told at once, those that follow together within a tenth of a second", async () => {
  const scene = new Scene();
  const { socket } = scene.listen("live");
  scene.come("ann", 1);
  expect(socket.of("presenceDiff")).toMatchObject([
    { scope: "diff", count: 1, here: [{ member: "ann", state: 1 }], gone: [] },
  ]);
  scene.come("bob");
  scene.come("ann", 2);
  scene.go("bob");
  scene.come("cem");
  expect(socket.frames).toHaveLength(1);
  await scene.clock.advance(100);
  expect(socket.of("presenceDiff").slice(1)).toMatchObject([
    { scope: "diff", count: 2, here: [{ member: "ann", state: 2 }, { member: "cem" }] },
  ]);
  await scene.clock.advance(100);
  expect(scene.clock.armed).toBe(0);
});

test("[W6] what is no change is not told, and arms no timer", async () => {
  const scene = new Scene();
  const { socket } = scene.listen("live");
  scene.come("ann");
  await scene.clock.advance(100);
  scene.come("ann");
  scene.attendance.changed();
  expect(socket.frames).toHaveLength(1);
  expect(scene.clock.armed).toBe(0);
});

test("[W6] who was not greeted and who only reads is told nothing", () => {
  const scene = new Scene();
  const [stranger, viewer] = [scene.listen("greeting"), scene.listen("live", "viewer")];
  scene.come("ann");
  expect([stranger.socket.frames, viewer.socket.frames]).toEqual([[], []]);
  expect([stranger.connection.presenceStale, viewer.connection.presenceStale]).toEqual([
    false,
    false,
  ]);
});

test("[W6][I5] who lags or takes nothing is told everything anew later, and no diff before", async () => {
  const scene = new Scene();
  const { connection, socket } = scene.listen("lagging");
  scene.come("ann");
  connection.phase = { kind: "live" };
  await scene.clock.advance(100);
  scene.come("bob");
  expect(socket.frames).toEqual([]);
  scene.isFull = true;
  scene.attendance.refresh(connection);
  expect(connection.presenceStale).toBe(true);
  scene.isFull = false;
  scene.attendance.refresh(connection);
  expect(connection.presenceStale).toBe(false);
  expect(socket.of("presenceDiff")).toMatchObject([{ scope: "all", count: 2 }]);
});

test("[P68] a crowd is counted once a second, and listed again when it is small enough", async () => {
  const scene = new Scene();
  scene.crowd(0, PRESENCE_COMPLETE_MEMBERS);
  await scene.clock.advance(2_000);
  expect(scene.attendance.snapshot()).toMatchObject({ complete: true });
  const { socket } = scene.listen("live");
  scene.come("one");
  scene.come("two");
  await scene.clock.advance(1_000);
  expect(socket.of("presenceDiff").at(-1)).toMatchObject({ scope: "count", count: 102, here: [] });
  expect(scene.attendance.snapshot()).toMatchObject({ complete: false, count: 102 });
  expect(scene.attendance.snapshot().members).toHaveLength(PRESENCE_SAMPLE);
  scene.wake();
  scene.go("one");
  scene.go("two");
  await scene.clock.advance(1_000);
  const last = socket.of("presenceDiff").at(-1);
  expect(last).toMatchObject({ scope: "all", count: 100 });
  expect(last?.here).toHaveLength(100);
});

test("[I7] no timer outlives it", () => {
  const scene = new Scene();
  scene.come("ann");
  scene.come("bob");
  scene.attendance[Symbol.dispose]();
  expect(scene.clock.armed).toBe(0);
});

test("[W6] a change that could not be told takes nothing from those that follow", async () => {
  const scene = new Scene();
  const { socket } = scene.listen("live");
  scene.crowd(0, PRESENCE_COMPLETE_MEMBERS);
  await scene.clock.advance(10_000);
  const full = vi.spyOn(scene.memory, "set").mockImplementationOnce(() => {
    throw new Error("database or disk is full: SQLITE_FULL");
  });
  expect(() => {
    scene.come("one too many");
  }).toThrow("SQLITE_FULL");
  full.mockRestore();
  await scene.clock.advance(10_000);
  scene.come("another");
  await scene.clock.advance(10_000);
  expect(socket.of("presenceDiff").at(-1)).toMatchObject({
    count: PRESENCE_COMPLETE_MEMBERS + 2,
  });
});
