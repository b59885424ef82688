/** Cursors by the presence of a room whose other end is the test. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Awareness, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as Y from "yjs";
import { createClient, type Room } from "../../../../src/client/index.ts";
import { shareAwareness } from "../../../../src/client/yjs/awareness.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { FakeRoomServer } from "./fake-room-server.ts";

interface Shown {
  readonly awareness: Uint8Array;
}

/** Awareness takes `Date.now` when it is loaded: what it takes is this. */
const time = vi.hoisted(() => {
  const { now } = Date;
  const source: { now: (() => number) | undefined } = { now: undefined };
  Date.now = () => (source.now ?? now)();
  return source;
});

/** Milliseconds by which both clocks go on in turn: as often as an awareness looks. */
const STEP_MS = 3_000;

const made: Awareness[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
});

afterEach(() => {
  for (const awareness of made.splice(0)) awareness.destroy();
  vi.useRealTimers();
  time.now = undefined;
});

function newAwareness(clientID?: number): Awareness {
  const doc = new Y.Doc();
  if (clientID !== undefined) doc.clientID = clientID;
  const awareness = new Awareness(doc);
  made.push(awareness);
  return awareness;
}

function scene(members: readonly string[] = ["ann"]) {
  const clock = new FakeClock();
  time.now = () => clock.now();
  const server = new FakeRoomServer(clock);
  const programs = members.map((member) => {
    const options = server.options();
    const client = createClient(options);
    const room: Room = client.room("r", { member });
    const awareness = newAwareness();
    const changes: unknown[] = [];
    awareness.on("change", (...change: readonly unknown[]) => changes.push(change));
    const stop = shareAwareness(room, awareness, options);
    void room.join();
    return { client, room, awareness, changes, stop };
  });
  const run = async (ms = 20): Promise<void> => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      const step = Math.min(STEP_MS, ms - passed);
      await clock.advance(step);
      vi.advanceTimersByTime(step);
    }
  };
  return { clock, server, programs: programs as [Program, Program], run };
}

interface Program {
  readonly client: ReturnType<typeof createClient>;
  readonly room: Room;
  readonly awareness: Awareness;
  readonly changes: unknown[];
  readonly stop: () => void;
}

const cursorsOf = ({ awareness }: Program): unknown =>
  Object.fromEntries([...awareness.getStates()].filter(([id]) => id !== awareness.clientID));

test("[W7][W6] each sees the others' cursors as they move, and nobody's when it has gone", async () => {
  const { programs, run } = scene(["ann", "bob"]);
  const [ann, bob] = programs;
  await run();
  ann.awareness.setLocalStateField("user", { name: "Ann" });
  await run(200);
  const { clientID } = ann.awareness;
  expect(cursorsOf(bob)).toEqual({ [clientID]: { user: { name: "Ann" } } });
  expect(bob.changes.at(-1)).toMatchObject([{ added: [clientID], updated: [], removed: [] }, {}]);
  ann.awareness.setLocalStateField("cursor", 3);
  await run(200);
  expect(cursorsOf(bob)).toEqual({ [clientID]: { user: { name: "Ann" }, cursor: 3 } });
  expect(bob.changes.at(-1)).toMatchObject([{ added: [], updated: [clientID], removed: [] }, {}]);
  ann.awareness.setLocalState(null);
  await run(200);
  expect(cursorsOf(bob)).toEqual({});
  ann.awareness.setLocalState({ cursor: 4 });
  await run(200);
  expect(cursorsOf(bob)).toEqual({ [clientID]: { cursor: 4 } });
  ann.client.close();
  await run(200);
  expect(cursorsOf(bob)).toEqual({});
  expect(bob.changes.at(-1)).toMatchObject([{ removed: [clientID] }, {}]);
  bob.client.close();
});

test("[W7][P2] a cursor that moves all the time is shown ten times a second, its last place always", async () => {
  const { clock, server, programs, run } = scene();
  const [ann] = programs;
  await run(200);
  const before = server.shown.length;
  for (let step = 0; step < 100; step += 1) {
    ann.awareness.setLocalStateField("cursor", step);
    await clock.advance(10);
  }
  await run(500);
  expect(server.shown.length - before).toBeLessThanOrEqual(11);
  expect(server.shown.length - before).toBeGreaterThanOrEqual(10);
  const { awareness } = server.shown.at(-1) as Shown;
  expect(awareness).toEqual(encodeAwarenessUpdate(ann.awareness, [ann.awareness.clientID]));
  ann.client.close();
  await run(1_000);
  expect(clock.armed).toBe(0);
});

test("[W7][W6] one who does nothing for hours is seen, and says nothing", async () => {
  const { server, programs, run } = scene(["ann", "bob"]);
  const [ann, bob] = programs;
  await run();
  ann.awareness.setLocalStateField("cursor", 1);
  await run(200);
  const before = server.shown.length;
  const changes = bob.changes.length;
  await run(3_600_000);
  expect(cursorsOf(bob)).toEqual({ [ann.awareness.clientID]: { cursor: 1 } });
  expect([server.shown.length, bob.changes.length]).toEqual([before, changes]);
  for (const { client } of programs) client.close();
});

test("[W7][W6] without a connection cursors go out of date, and are back with it", async () => {
  const { server, programs, run } = scene(["ann", "bob"]);
  const [ann, bob] = programs;
  await run();
  ann.awareness.setLocalStateField("cursor", 1);
  await run(200);
  server.isUp = () => false;
  for (const link of server.links) link.fail();
  await run(20_000);
  const seen = { [ann.awareness.clientID]: { cursor: 1 } };
  expect(cursorsOf(bob)).toEqual(seen);
  await run(20_000);
  expect(cursorsOf(bob)).toEqual({});
  server.isUp = () => true;
  await run(60_000);
  expect(cursorsOf(bob)).toEqual(seen);
  await run(60_000);
  expect(cursorsOf(bob)).toEqual(seen);
  for (const { client } of programs) client.close();
});

test("[W7] a page that is loaded again is one cursor, and so is an awareness made again", async () => {
  const { server, programs, run } = scene(["bob"]);
  const [bob] = programs;
  await run();
  const show = async (awareness: Awareness): Promise<void> => {
    for (const link of server.links) {
      const state = { awareness: encodeAwarenessUpdate(awareness, [awareness.clientID]) };
      const here = [{ member: "ann", state }];
      link.tell({ kind: "presenceDiff", scope: "diff", count: 2, here, gone: [] });
    }
    await run();
  };
  const first = newAwareness(1);
  for (let step = 0; step < 10; step += 1) first.setLocalStateField("cursor", step);
  await show(first);
  const second = newAwareness(2);
  second.setLocalStateField("cursor", "second");
  await show(second);
  expect(cursorsOf(bob)).toEqual({ 2: { cursor: "second" } });
  // Its clock begins anew.
  await show(first);
  const third = newAwareness(1);
  third.setLocalStateField("cursor", "third");
  await show(third);
  expect(cursorsOf(bob)).toEqual({ 1: { cursor: "third" } });
  bob.client.close();
});

test("[W7][W4] what is no state is nobody's, and nobody speaks for another", async () => {
  const { server, programs, run } = scene(["bob"]);
  const [bob] = programs;
  const own = bob.awareness.clientID;
  bob.awareness.setLocalState({ cursor: "own" });
  await run(200);
  const stateOf = (id: number, state: object, count = 1): Shown => {
    const awareness = newAwareness(id);
    for (let step = 0; step < count; step += 1) awareness.setLocalState({ ...state, step });
    return { awareness: encodeAwarenessUpdate(awareness, [id]) };
  };
  const two = newAwareness(3);
  two.states.set(4, { cursor: 4 });
  two.meta.set(4, { clock: 1, lastUpdated: 0 });
  const states: readonly unknown[] = [
    { awareness: encodeAwarenessUpdate(two, [3, 4]) },
    null,
    7,
    { awareness: "text" },
    { awareness: new Uint8Array() },
    { awareness: new Uint8Array(20).fill(255) },
    { awareness: Uint8Array.of(1, 5, 5, 4, 110, 117, 108, 108) },
    { awareness: Uint8Array.of(1, 5, 5, 1, 123) },
    stateOf(own, { cursor: "stolen" }, 50),
    stateOf(9, { cursor: "ann" }),
    stateOf(9, { cursor: "eve" }, 50),
  ];
  const here = states.map((state, index) => ({ member: `m${index}`, state }));
  for (const link of server.links) {
    link.tell({ kind: "presenceDiff", scope: "diff", count: 12, here, gone: [] });
  }
  await run();
  expect(cursorsOf(bob)).toEqual({ 9: { cursor: "ann", step: 0 } });
  expect(bob.awareness.getLocalState()).toEqual({ cursor: "own" });
  // The name is free when its first holder has gone.
  for (const link of server.links) {
    link.tell({ kind: "presenceDiff", scope: "diff", count: 11, here: [], gone: ["m9"] });
  }
  await run();
  expect(cursorsOf(bob)).toEqual({ 9: { cursor: "eve", step: 49 } });
  bob.client.close();
});

test("[W7][W4] a state that is too large does not disturb the editor, is said once, and the next one is shown", async () => {
  const { clock, server, programs, run } = scene();
  const [ann] = programs;
  const thrown: unknown[] = [];
  vi.stubGlobal("queueMicrotask", (task: () => void) => {
    try {
      task();
    } catch (error) {
      thrown.push(error);
    }
  });
  await run(200);
  const shown = server.shown.length;
  for (let step = 0; step < 3; step += 1) {
    ann.awareness.setLocalState({ large: "x".repeat(1024), step });
    await clock.advance(200);
  }
  expect([server.shown.length, thrown]).toMatchObject([shown, [{ code: "state_too_large" }]]);
  ann.awareness.setLocalState({ small: 1 });
  await run(200);
  vi.unstubAllGlobals();
  expect(server.shown).toHaveLength(shown + 1);
  ann.client.close();
});

test.each<[string, (program: Program) => void]>([
  ["it is stopped", ({ stop }) => stop()],
  ["the awareness is destroyed", ({ awareness }) => awareness.destroy()],
  ["the document is destroyed", ({ awareness }) => awareness.doc.destroy()],
  ["the room is closed", ({ room }) => room.close()],
])("[W7] nothing is left of it when %s", async (_, end) => {
  const { clock, server, programs, run } = scene(["ann", "bob"]);
  const [ann, bob] = programs;
  await run();
  ann.awareness.setLocalState({ cursor: "ann" });
  bob.awareness.setLocalState({ cursor: "bob" });
  await run(200);
  expect([cursorsOf(ann), cursorsOf(bob)]).toMatchObject([
    { [bob.awareness.clientID]: {} },
    { [ann.awareness.clientID]: {} },
  ]);
  ann.awareness.setLocalState({ cursor: "moved" });
  end(ann);
  ann.stop();
  await run(500);
  expect([cursorsOf(ann), cursorsOf(bob)]).toEqual([{}, {}]);
  const shown = server.shown.length;
  ann.awareness.setLocalState({ cursor: "after" });
  bob.awareness.setLocalState({ cursor: "after" });
  await run(500);
  expect([server.shown.length, cursorsOf(ann)]).toEqual([shown + 1, {}]);
  for (const { client } of programs) client.close();
  await run(60_000);
  expect(clock.armed).toBe(0);
});

test("[W7] without options it has the runtime's own clock", async () => {
  const { server, programs, run } = scene();
  const [{ client, room, awareness, stop }] = programs;
  await run(200);
  stop();
  const again = shareAwareness(room, awareness);
  await run();
  expect(server.shown.at(-1)).toMatchObject({ awareness: expect.any(Uint8Array) as Uint8Array });
  again();
  client.close();
});
