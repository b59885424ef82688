/** A room that sends to its members in steps: what happens between two of them. */
import { expect, test } from "vitest";
import { CLOSE } from "../../../src/protocol/close-codes.ts";
import { idsOf, RoomScene } from "../../support/room-scene.ts";

/** A room of four that has sent `first` to one of them, and asks for turns to send it to the others. */
function setUp(): {
  scene: RoomScene;
  members: readonly [ann: Member, bob: Member, cyd: Member, dan: Member];
  turn: () => void;
} {
  const waiting: (() => void)[] = [];
  const next = (go: () => void): void => {
    waiting.push(go);
  };
  const scene = new RoomScene({}, {}, { receivers: 1, next });
  const join = (name: string): Member => scene.join(name);
  const members = [join("ann"), join("bob"), join("cyd"), join("dan")] as const;
  scene.publish(members[3], "first");
  const turn = (): void => {
    for (const go of waiting.splice(0)) go();
  };
  return { scene, members, turn };
}

type Member = ReturnType<RoomScene["join"]>;

const delivered = (members: readonly Member[]): readonly string[] =>
  members.map((member) => idsOf(member, "deliver").join(" "));

test("[P2][I2] a message leaves to some before others, and is confirmed when all have it", async () => {
  const { scene, members, turn } = setUp();
  const [, , , dan] = members;
  expect(delivered(members)).toEqual(["first", "", "", ""]);
  expect(scene.room.audience.isDelivering).toBe(true);
  turn();
  turn();
  expect(delivered(members)).toEqual(["first", "first", "first", ""]);
  expect(dan.of("published")).toEqual([]);
  turn();
  expect(delivered(members)).toEqual(["first", "first", "first", "first"]);
  expect(dan.frames.slice(-2).map(({ kind }) => kind)).toEqual(["deliver", "published"]);
  // The pause after it ends as always.
  await scene.clock.advance(200);
  scene.publish(dan, "second");
  expect(delivered(members)[0]).toBe("first second");
});

test("[I3] what is said meanwhile follows for everybody, once and in order", async () => {
  const { scene, members, turn } = setUp();
  const [ann, bob] = members;
  scene.publish(ann, "second");
  scene.publish(bob, "third");
  expect(delivered(members)).toEqual(["first", "", "", ""]);
  await scene.clock.advance(8);
  while (scene.room.audience.isDelivering) turn();
  await scene.clock.advance(200);
  while (scene.room.audience.isDelivering) turn();
  expect(new Set(delivered(members))).toEqual(new Set(["first second third"]));
  expect(ann.of("published").flatMap(({ published }) => published)).toEqual([
    { id: "second", seq: 2 },
  ]);
});

test("[I3] who is refused something or leaves gets what it waits for first", () => {
  const { scene, members } = setUp();
  const [, bob, cyd] = members;
  scene.room.receive(bob, new Uint8Array([0xc1]).buffer);
  expect(bob.frames.slice(-2).map(({ kind }) => kind)).toEqual(["deliver", "error"]);
  scene.send(cyd, { kind: "leave" });
  expect(idsOf(cyd, "deliver")).toEqual(["first"]);
  expect(cyd.closed?.code).toBe(CLOSE.left.code);
});

test("[I3] who joins meanwhile reads it from the log, once", () => {
  const { scene, turn } = setUp();
  const eve = scene.join("eve", { history: 10 });
  while (scene.room.audience.isDelivering) turn();
  expect(idsOf(eve, "deliver")).toEqual(["first"]);
});

test("[W4] who breaks off meanwhile takes nothing from the others", () => {
  const { scene, members, turn } = setUp();
  const [, bob, , dan] = members;
  scene.break(bob);
  while (scene.room.audience.isDelivering) turn();
  expect(delivered(members)).toEqual(["first", "", "first", "first"]);
  expect(dan.of("published")).toHaveLength(1);
});

test("[I8] who is sent away meanwhile gets what was decided before, and nothing that comes after", async () => {
  const { scene, members, turn } = setUp();
  const [, bob, cyd, dan] = members;
  scene.room.audience.endWhere(({ member }) => member === "cyd", CLOSE.notAllowed);
  expect(idsOf(cyd, "deliver")).toEqual(["first"]);
  expect(cyd.closed?.code).toBe(CLOSE.notAllowed.code);
  scene.publish(bob, "second");
  while (scene.room.audience.isDelivering) turn();
  await scene.clock.advance(200);
  while (scene.room.audience.isDelivering) turn();
  expect(delivered([cyd, dan])).toEqual(["first", "first second"]);
  expect(cyd.frames.filter(({ kind }) => kind === "deliver")).toHaveLength(1);
});

test("[I3][W4] what fails after a message has left to all is reported, and costs nobody the next one", async () => {
  const { scene, members, turn } = setUp();
  const [ann] = members;
  scene.onFlush = () => {
    throw new Error("no room for an alarm");
  };
  await scene.clock.advance(8);
  scene.publish(ann, "second");
  // The next flush begins while the first is under way, and lets it leave.
  scene.room.publisher.flush();
  expect(scene.reported).toHaveLength(1);
  scene.onFlush = undefined;
  while (scene.room.audience.isDelivering) turn();
  await scene.clock.advance(200);
  while (scene.room.audience.isDelivering) turn();
  expect(new Set(delivered(members))).toEqual(new Set(["first second"]));
});
