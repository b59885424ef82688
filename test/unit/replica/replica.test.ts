/** A copy of a log, and what it owes to the log's own object. */
import { expect, test } from "vitest";
import type { Holder } from "../../support/replica-scene.ts";
import { FAIR, ReplicaScene } from "../../support/replica-scene.ts";
import type { FakeSocket } from "../../support/fake-socket.ts";
import { SeededRandom } from "../../support/seeded-random.ts";

/** Lets promises have their turns. */
const settle = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

function open(retention: { readonly maxAgeMs?: number } = {}): [ReplicaScene, Holder] {
  const scene = new ReplicaScene(new SeededRandom(1), { replicas: 1, retention });
  const [holder] = scene.holders;
  if (holder === undefined) throw new Error("no replica");
  return [scene, holder];
}

const count = (socket: FakeSocket): number =>
  socket.of("deliver").reduce((sum, { entries }) => sum + entries.length, 0);

test("[E3][I4] what is too old is gone at a replica too, although its room has slept meanwhile", async () => {
  const [scene, holder] = open({ maxAgeMs: 1_000 });
  scene.source.append(10);
  const { socket } = await holder.join("start");
  expect(count(socket)).toBe(10);
  await scene.clock.advance(100_000);
  // Its alarm wakes it, and the log forgets as it is opened.
  scene.source.restart();
  scene.source.followers.tell();
  await settle();
  const late = await holder.join("start");
  expect(count(late.socket)).toBe(0);
  scene.source.append(1);
  await settle();
  expect([count(socket), count(late.socket)]).toEqual([11, 1]);
});

test("[E3][I3] what could not be handed on before the room slept, it hands on when it wakes", async () => {
  const [scene, holder] = open();
  const { socket } = await holder.join("now");
  scene.weather = { lost: 1, answerLost: 0, slow: 0 };
  scene.source.append(3);
  await settle();
  expect(scene.source.followers.nextTryAt).toBeDefined();
  scene.weather = FAIR;
  scene.source.restart();
  scene.source.followers.tell();
  await settle();
  expect(count(socket)).toBe(3);
});

test("[E3][I3] who was further at another replica waits until this one is as far", async () => {
  const [scene, holder] = open();
  await holder.join("now");
  scene.weather = { lost: 1, answerLost: 0, slow: 0 };
  scene.source.append(5);
  await settle();
  scene.weather = FAIR;
  const { socket } = await holder.join({ epoch: scene.source.log.epoch, seq: 4 });
  await settle();
  expect([count(socket), socket.of("gap").length]).toEqual([1, 0]);
});

test("[E3][S4] a log that has begun anew is another one: its readers come back and are told", async () => {
  const [scene, holder] = open();
  scene.source.append(5);
  const { socket } = await holder.join("start");
  const { epoch } = scene.source.log;
  scene.source.log.reset();
  scene.source.append(2);
  await settle();
  expect(socket.closed?.code).toBe(1012);
  const back = await holder.join({ epoch, seq: 5 });
  expect(back.socket.of("gap")).toMatchObject([{ reason: "epoch" }]);
  expect(count(back.socket)).toBe(2);
});
