/** What random lives of a room have found once, step by step; the seeds are in room-model.fuzz.test.ts. */
import { expect, test } from "vitest";
import { HELLO_TIMEOUT_MS } from "../../../src/protocol/limits.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { idsOf, RoomScene } from "../../support/room-scene.ts";

test("[W4][I2] who publishes and breaks off takes nobody's receipt along", async () => {
  const scene = new RoomScene();
  const [ann, bob] = [scene.join("ann"), scene.join("bob")];
  scene.publish(ann, "a1");
  scene.publish(ann, "a2");
  scene.publish(bob, "b1");
  scene.break(ann);
  await scene.clock.advance(200);
  expect(bob.of("published").flatMap(({ published }) => published)).toEqual([{ id: "b1", seq: 3 }]);
  expect(idsOf(bob, "deliver")).toEqual(["a1", "a2", "b1"]);
});

test("[P62] mail numbers of another log acknowledge nothing", () => {
  const scene = new RoomScene();
  const ann = scene.join("ann");
  for (const id of ["m1", "m2", "m3"]) scene.direct(ann, id, "bob");
  const [welcome] = ann.of("welcome");
  scene.sql = new MemorySql();
  scene.wake();
  scene.direct(scene.join("ann"), "m4", "bob");
  const resume = { epoch: `${welcome?.epoch}x`, seq: 0 };
  expect(idsOf(scene.join("bob", { resume, mail: 3 }), "mail")).toEqual(["m4"]);
});

test("[P61][I1] direct messages under way are not sent again when the room wakes", async () => {
  const scene = new RoomScene();
  const [ann, bob] = [scene.join("ann"), scene.join("bob")];
  scene.direct(ann, "m1", "bob");
  await scene.clock.advance(HELLO_TIMEOUT_MS);
  expect(scene.clock.armed).toBe(0);
  scene.wake(ann, bob);
  scene.direct(ann, "m2", "bob");
  scene.send(bob, { kind: "ack", seq: 0, mail: 2 });
  expect(idsOf(bob, "mail")).toEqual(["m1", "m2"]);
  expect(bob.closed).toBeUndefined();
});

test("[W6][I1] a laggard learns after a sleep who came before it", async () => {
  const scene = new RoomScene();
  const ann = scene.join("ann");
  const bob = scene.join("bob", { credit: { messages: 1, bytes: 1 } });
  for (const id of ["a1", "a2"]) {
    scene.publish(ann, id);
    await scene.clock.advance(200);
  }
  scene.join("cem");
  await scene.clock.advance(200);
  scene.wake(ann, bob);
  scene.send(bob, { kind: "ack", seq: 1, mail: 0 });
  expect(bob.of("presenceDiff").at(-1)).toMatchObject({ scope: "all", count: 2 });
});

test("[W6][I1] the state shown last is shown after a sleep, too", async () => {
  const scene = new RoomScene();
  const phone = scene.join("ann", { state: encodeValue("phone") });
  const desk = scene.join("ann", { state: encodeValue("desk") });
  scene.show(phone, "phone again");
  await scene.clock.advance(200);
  const before = scene.room.roster.list();
  scene.wake(phone, desk);
  expect(scene.room.roster.list()).toEqual(before);
  scene.show(desk, "desk again");
  await scene.clock.advance(200);
  scene.wake(phone, desk);
  expect(scene.room.roster.list()[0]?.state).toEqual(encodeValue("desk again"));
});

test("[W6] a member who came and went within a moment is no ghost for who was welcomed between", async () => {
  const scene = new RoomScene();
  scene.join("ann");
  const bob = scene.join("bob");
  const cem = scene.join("cem");
  scene.break(bob);
  await scene.clock.advance(200);
  expect(cem.of("welcome")[0]?.presence.members.map(({ member }) => member)).toContain("bob");
  expect(cem.of("presenceDiff").flatMap(({ gone }) => gone)).toEqual(["bob"]);
});

test("[I5][P23] history that begins inside a flush larger than the window arrives", async () => {
  const scene = new RoomScene();
  const ann = scene.join("ann");
  for (let n = 0; n < 10; n += 1) scene.publish(ann, `a${n}`, "x".repeat(100));
  await scene.clock.advance(8);
  const bob = scene.join("bob", { history: 3, credit: { messages: 10, bytes: 50 } });
  expect(idsOf(bob, "deliver")).toEqual(["a7", "a8", "a9"]);
});

test("[P60][P54] a mailbox that is full to the brim is read in portions", () => {
  const scene = new RoomScene();
  const ann = scene.join("ann");
  const ids = Array.from({ length: 16 }, (_, n) => `m${n}`);
  for (const id of ids) scene.direct(ann, id, "bob", "x".repeat(65_512));
  const bob = scene.join("bob");
  for (let seen = -1; seen < bob.of("mail").length;) {
    seen = bob.of("mail").length;
    const mail = bob.of("mail").at(-1)?.entries.at(-1)?.mail ?? 0;
    scene.send(bob, { kind: "ack", seq: 0, mail });
  }
  expect(idsOf(bob, "mail")).toEqual(ids);
  expect(bob.closed).toBeUndefined();
  expect(bob.of("mail").length).toBeGreaterThan(1);
});

test("[P20] everyone who says no hello is given up, also who came after the first", async () => {
  const scene = new RoomScene();
  const first = scene.accept();
  await scene.clock.advance(HELLO_TIMEOUT_MS / 2);
  const second = scene.accept();
  await scene.clock.advance(HELLO_TIMEOUT_MS / 2);
  expect([first.closed?.code, second.closed]).toEqual([4408, undefined]);
  await scene.clock.advance(HELLO_TIMEOUT_MS);
  expect(second.closed?.code).toBe(4408);
  expect(scene.clock.armed).toBe(0);
});

test("[P54][W6] presence is left out for who takes nothing, and told anew with the next ack", async () => {
  const scene = new RoomScene();
  const [ann, bob] = [scene.join("ann"), scene.join("bob")];
  const large = "x".repeat(1_000);
  for (let n = 0; n < 400; n += 1) {
    scene.show(ann, n + large);
    await scene.clock.advance(100);
  }
  const before = bob.of("presenceDiff").length;
  expect(before).toBeLessThan(300);
  scene.send(bob, { kind: "ack", seq: 0, mail: 0 });
  expect(bob.of("presenceDiff").slice(before)).toMatchObject([{ scope: "all", count: 2 }]);
});
