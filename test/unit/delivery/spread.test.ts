import { expect, test } from "vitest";
import { Spread } from "../../../durable-objects/delivery/spread.ts";
import { FakeSocket } from "../../support/fake-socket.ts";

/** Turns that come when the test says so. */
class Scene {
  readonly receivers: readonly { readonly socket: FakeSocket }[];
  readonly spread: Spread;
  turns = 0;
  done = 0;
  #waiting: (() => void)[] = [];

  constructor(size: number, receivers: number | undefined) {
    this.receivers = Array.from({ length: size }, () => ({ socket: new FakeSocket() }));
    const next = (go: () => void): void => {
      this.#waiting.push(go);
    };
    this.spread = new Spread({
      turns: receivers === undefined ? undefined : { receivers, next },
      done: () => {
        this.done += 1;
      },
    });
  }

  begin(...bytes: readonly number[]): void {
    this.spread.begin(this.receivers, new Uint8Array(bytes));
  }

  /** Gives whoever asked for it a turn; false when nobody did. */
  turn(): boolean {
    const waiting = this.#waiting.splice(0);
    for (const go of waiting) go();
    if (waiting.length > 0) this.turns += 1;
    return waiting.length > 0;
  }

  /** What each has been sent, one letter a receiver's worth: its frames' first bytes. */
  get sent(): readonly string[] {
    return this.receivers.map(({ socket }) => socket.sent.map(([first]) => first).join(""));
  }
}

test("[P3] few are sent to in one turn, and so is everybody where there are no turns", () => {
  for (const scene of [new Scene(3, 3), new Scene(500, undefined)]) {
    scene.begin(1);
    expect(new Set(scene.sent)).toEqual(new Set(["1"]));
    expect(scene.spread.isUnderWay).toBe(false);
    expect(scene.turn()).toBe(false);
    expect(scene.done).toBe(0);
  }
});

test("[P2] many are sent to in steps, with a turn of the event loop between them", () => {
  const scene = new Scene(5, 2);
  scene.begin(1);
  expect(scene.sent).toEqual(["1", "1", "", "", ""]);
  expect(scene.spread.isUnderWay).toBe(true);
  scene.turn();
  expect(scene.sent).toEqual(["1", "1", "1", "1", ""]);
  expect(scene.done).toBe(0);
  scene.turn();
  expect(scene.sent).toEqual(["1", "1", "1", "1", "1"]);
  expect(scene.spread.isUnderWay).toBe(false);
  expect(scene.done).toBe(1);
  expect(scene.turn()).toBe(false);
});

test("[P2] steps grow, so that a crowd does not take hundreds of turns", () => {
  const scene = new Scene(10_000, 10);
  scene.begin(1);
  while (scene.turn());
  expect(new Set(scene.sent)).toEqual(new Set(["1"]));
  expect(scene.turns).toBeLessThan(40);
});

test("[I3] who waits for a frame gets it before the next one, which goes its own way", () => {
  const scene = new Scene(4, 1);
  scene.begin(1);
  scene.turn();
  scene.begin(2);
  expect(scene.done).toBe(1);
  expect(scene.sent).toEqual(["12", "1", "1", "1"]);
  scene.turn();
  expect(scene.sent).toEqual(["12", "12", "1", "1"]);
  while (scene.turn());
  expect(scene.sent).toEqual(["12", "12", "12", "12"]);
  expect(scene.done).toBe(2);
});

test("[W4] a socket that has ended meanwhile takes nothing from the others", () => {
  const scene = new Scene(4, 1);
  scene.begin(1);
  for (const { socket } of scene.receivers.slice(1, 3)) socket.isLost = true;
  while (scene.turn());
  expect(scene.sent).toEqual(["1", "", "", "1"]);
  expect(scene.done).toBe(1);
});

test("[I3] what is under way leaves at once when asked to", () => {
  const scene = new Scene(4, 1);
  scene.begin(1);
  scene.spread.finish();
  expect(scene.sent).toEqual(["1", "1", "1", "1"]);
  scene.spread.finish();
  while (scene.turn());
  expect(scene.done).toBe(1);
});
