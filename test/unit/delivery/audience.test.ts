import { expect, test } from "vitest";
import { HELLO_TIMEOUT_MS } from "../../../src/protocol/limits.ts";
import { OPEN_PERMIT } from "../../../src/protocol/permit.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { FakeSocket } from "../../support/fake-socket.ts";
import { idsOf, RoomScene } from "../../support/room-scene.ts";

const overloaded = (more: object = {}): object =>
  expect.objectContaining({ code: "room_overloaded", ...more }) as object;

test("[P26] the welcome comes first and says what is granted", () => {
  const scene = new RoomScene();
  const ann = scene.join("ann", { credit: { messages: 9_999, bytes: 1 } });
  expect(ann.frames[0]).toMatchObject({
    kind: "welcome",
    member: "ann",
    head: 0,
    credit: { messages: 4_096, bytes: 1 },
    presence: { count: 1, complete: true },
  });
});

test("[P20][W4] whoever speaks before hello, or greets twice, harms nobody else", () => {
  const scene = new RoomScene();
  const [bob, early, twice] = [scene.join("bob"), scene.accept(), scene.join("ann")];
  scene.publish(early, "x");
  scene.hello(twice, { member: "ann" });
  for (const socket of [early, twice]) {
    expect(socket.of("error").at(-1)).toMatchObject({ id: undefined, code: "unexpected_frame" });
    expect(socket.closed?.code).toBe(4400);
  }
  expect(bob.closed).toBeUndefined();
  expect(scene.room.audience.size).toBe(1);
  expect(scene.clock.armed).toBeLessThanOrEqual(1);
});

test("[W4] bytes that are no frame end their sender only, and are answered", () => {
  const scene = new RoomScene();
  const [ann, bob] = [scene.join("ann"), scene.join("bob")];
  scene.room.receive(ann, new Uint8Array([0xc1, 0xff]).buffer);
  scene.room.receive(bob, "hello?");
  expect([ann.closed?.code, bob.closed?.code]).toEqual([4400, 4400]);
  expect(scene.reported).toEqual([]);
});

test("[P53] an ack beyond what was sent breaks the protocol, an old one does not", () => {
  const scene = new RoomScene();
  const [ann, bob] = [scene.join("ann"), scene.join("bob")];
  scene.publish(ann, "a1");
  for (const seq of [1, 0, 1]) scene.send(ann, { kind: "ack", seq, mail: 0 });
  expect(ann.closed).toBeUndefined();
  scene.send(ann, { kind: "ack", seq: 2, mail: 0 });
  scene.send(bob, { kind: "ack", seq: 0, mail: 1 });
  for (const socket of [ann, bob]) {
    expect(socket.of("error").at(-1)).toMatchObject({ code: "bad_position" });
    expect(socket.closed?.code).toBe(4400);
  }
});

test("[L3][I7] a reader is served at once, and given up when nobody ever speaks there", async () => {
  const scene = new RoomScene();
  const ann = scene.join("ann");
  scene.publish(ann, "a1");
  const [taken, left] = [new FakeSocket(), new FakeSocket()];
  for (const socket of [taken, left]) {
    scene.room.audience.connect(socket, { door: "viewer", permit: OPEN_PERMIT }, "start");
    expect(idsOf(socket, "deliver")).toEqual(["a1"]);
  }
  scene.send(taken, { kind: "ack", seq: 0, mail: 0 });
  await scene.clock.advance(HELLO_TIMEOUT_MS);
  expect([taken.closed?.code, left.closed?.code]).toEqual([undefined, 4408]);
  expect(scene.clock.armed).toBe(0);
});

test("[S3][W4] a viewer reads and acknowledges, and may do nothing else", () => {
  const scene = new RoomScene();
  const [ann, viewer] = [scene.join("ann"), scene.accept("viewer")];
  scene.hello(viewer, {});
  scene.publish(ann, "a1");
  scene.send(viewer, { kind: "ack", seq: 1, mail: 0 });
  expect(idsOf(viewer, "deliver")).toEqual(["a1"]);
  expect(viewer.closed).toBeUndefined();
  scene.publish(viewer, "v1");
  expect(viewer.closed?.code).toBe(4400);
  expect(scene.room.log.tail).toBe(1);
});

test("[I4] a position of another epoch, and one from the future, begin with a gap", () => {
  const scene = new RoomScene();
  const ann = scene.join("ann");
  scene.publish(ann, "a1");
  const { epoch } = scene.room.log;
  const other = scene.join("bob", { resume: { epoch: "other", seq: 7 } });
  expect(other.of("gap")).toMatchObject([{ reason: "epoch", from: 0, to: 0 }]);
  expect(idsOf(other, "deliver")).toEqual(["a1"]);
  const future = scene.join("cem", { resume: { epoch, seq: 2 } });
  expect(future.of("gap")).toMatchObject([{ reason: "future", from: 0, to: 1 }]);
  expect(idsOf(future, "deliver")).toEqual([]);
});

test("[E3] a storm is let in at a rate, the rest is told when to come back", async () => {
  const scene = new RoomScene({ joinRate: { perSecond: 1, burst: 2 }, maxConnections: 3 });
  const { audience } = scene.room;
  audience.admit();
  audience.admit();
  expect(() => audience.admit()).toThrow(overloaded({ retryAfter: 4 }));
  await scene.clock.advance(1_000);
  audience.admit();
  for (const name of ["a", "b", "c"]) scene.join(name);
  await scene.clock.advance(10_000);
  expect(() => audience.admit()).toThrow(overloaded());
});

test("[I1] a socket that is none of ours is told to come back", () => {
  const scene = new RoomScene();
  const stranger = new FakeSocket();
  scene.wake(stranger);
  expect(stranger.closed?.code).toBe(1012);
  const unknown = new FakeSocket();
  scene.publish(unknown, "x");
  expect(unknown.closed?.code).toBe(1011);
});

test("[W1] who leaves is closed for good, and its last messages are stored", async () => {
  const scene = new RoomScene();
  const ann = scene.join("ann", { state: encodeValue(1) });
  scene.publish(ann, "a1");
  scene.publish(ann, "a2");
  scene.send(ann, { kind: "leave" });
  expect(ann.closed?.code).toBe(1000);
  await scene.clock.advance(200);
  expect(scene.room.log.tail).toBe(2);
  expect(scene.room.roster.count).toBe(0);
  expect(scene.clock.armed).toBe(0);
});
