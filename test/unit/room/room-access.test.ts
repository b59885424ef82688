/** What a member's token allows, frame by frame, and until when. */
import { expect, test } from "vitest";
import { CAPABILITIES, type Capability } from "../../../src/protocol/capabilities.ts";
import { CLOSE } from "../../../src/protocol/close-codes.ts";
import { SluiceError } from "../../../src/protocol/errors.ts";
import { type ClientFrame, FRAME } from "../../../src/protocol/frames.ts";
import type { Permit } from "../../../src/protocol/permit.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import type { FakeSocket } from "../../support/fake-socket.ts";
import { RoomScene } from "../../support/room-scene.ts";

const payload = encodeValue("hi");

/** What each frame needs; `join`: what opens the room at all. */
const FRAMES: Readonly<
  Record<
    ClientFrame["kind"],
    { readonly frame: ClientFrame | undefined; readonly needs: Capability | "join" }
  >
> = {
  hello: { frame: undefined, needs: "join" },
  ack: { frame: { kind: "ack", seq: 0, mail: 0 }, needs: "join" },
  leave: { frame: { kind: "leave" }, needs: "join" },
  refresh: { frame: { kind: "refresh", token: "good" }, needs: "join" },
  publish: { frame: { kind: "publish", id: "m1", event: "chat", payload }, needs: "publish" },
  direct: { frame: { kind: "direct", id: "m1", to: "bob", event: "dm", payload }, needs: "direct" },
  presence: { frame: { kind: "presence", state: encodeValue({ x: 1 }) }, needs: "presence" },
};

const START = new RoomScene().clock.now() / 1_000;

function permit(can: readonly Capability[], more: Partial<Permit> = {}): Permit {
  return { can, subject: "ann", member: "ann", expiresAt: START + 60, ...more };
}

function enter(scene: RoomScene, given: Permit, hello = {}): FakeSocket {
  const socket = scene.accept("member", given);
  scene.hello(socket, hello);
  return socket;
}

const errorsOf = (socket: FakeSocket) => socket.of("error").map(({ code, id }) => [code, id]);

test("[I8] every frame of a client has a row", () => {
  const names = Object.entries(FRAME).filter(([, type]) => type < FRAME.welcome);
  expect(Object.keys(FRAMES).toSorted()).toEqual(names.map(([name]) => name).toSorted());
});

test.each(Object.entries(FRAMES))(
  "[I8][W4] %s: refused without its capability, and the connection stays",
  (kind, { frame, needs }) => {
    for (const can of [CAPABILITIES, CAPABILITIES.filter((one) => one !== needs)]) {
      const scene = new RoomScene();
      const socket = enter(scene, permit(can));
      if (frame !== undefined) scene.send(socket, frame);
      const isAllowed = needs === "join" || can.includes(needs);
      const id = kind === "publish" || kind === "direct" ? "m1" : undefined;
      expect(errorsOf(socket)).toEqual(isAllowed ? [] : [["forbidden", id]]);
      expect(socket.closed?.code).toBe(kind === "leave" ? CLOSE.left.code : undefined);
    }
  },
);

test("[I8][W6] without presence, hello shows nothing, and the member is here all the same", () => {
  const scene = new RoomScene();
  const socket = enter(scene, permit(["read"]), { state: encodeValue({ x: 1 }) });
  expect(errorsOf(socket)).toEqual([["forbidden", undefined]]);
  expect(socket.of("welcome")[0]?.presence.members).toEqual([{ member: "ann", state: null }]);
});

test("[I8][W6] nobody forges the fields of a state that the token decides", () => {
  const scene = new RoomScene();
  const given = permit(["read", "presence"], { presence: '{"role":"guest","seat":7}' });
  const forged = encodeValue({ role: "admin", x: 2n ** 60n });
  enter(scene, given, { state: forged });
  const stateOf = () => scene.join("bob").of("welcome")[0]?.presence.members[0]?.state;
  expect(stateOf()).toEqual({ x: 2n ** 60n, role: "guest", seat: 7 });
  const scalar = new RoomScene();
  enter(scalar, given, { state: encodeValue("admin") });
  expect(scalar.join("bob").of("welcome")[0]?.presence.members[0]?.state).toEqual({
    role: "guest",
    seat: 7,
  });
});

test("[I8] a token's end ends its connection to the second, and no other", async () => {
  const scene = new RoomScene();
  const ann = enter(scene, permit(["read"]));
  const bob = scene.join("bob");
  const eve = enter(
    scene,
    permit(["read"], { member: "eve", subject: "eve", expiresAt: START + 90 }),
  );
  expect(ann.of("welcome")[0]?.expiresIn).toBe(60_000);
  expect(bob.of("welcome")[0]?.expiresIn).toBeUndefined();
  expect(scene.room.nextSweepAt()).toBe((START + 60) * 1_000);
  await scene.clock.advance(59_999);
  scene.room.sweep();
  expect(ann.closed).toBeUndefined();
  await scene.clock.advance(1);
  scene.room.sweep();
  expect(ann.closed?.code).toBe(CLOSE.tokenInvalid.code);
  expect([bob.closed, eve.closed]).toEqual([undefined, undefined]);
  expect(scene.room.nextSweepAt()).toBe((START + 90) * 1_000);
});

test("[I8] what is said after a token's end is not heard, although the alarm has not come", async () => {
  const scene = new RoomScene();
  const ann = enter(scene, permit(["read", "publish"]));
  const bob = scene.join("bob");
  await scene.clock.advance(60_000);
  scene.send(ann, { kind: "publish", id: "m1", event: "chat", payload });
  expect(ann.closed?.code).toBe(CLOSE.tokenInvalid.code);
  await scene.clock.advance(1_000);
  expect(bob.of("deliver")).toEqual([]);
});

test("[I8][I1] a sleep changes neither when a connection ends nor what it may do", async () => {
  const scene = new RoomScene();
  const ann = enter(scene, permit(["read"]));
  scene.wake(ann);
  expect(scene.room.nextSweepAt()).toBe((START + 60) * 1_000);
  scene.publish(ann, "m1");
  expect(errorsOf(ann)).toEqual([["forbidden", "m1"]]);
  await scene.clock.advance(60_000);
  scene.room.sweep();
  expect(ann.closed?.code).toBe(CLOSE.tokenInvalid.code);
});

test("[I8] a refresh changes how long a connection stays, what it may do and what it shows", async () => {
  const scene = new RoomScene(
    {},
    {
      good: permit(["read", "publish"], { expiresAt: START + 120, presence: '{"role":"host"}' }),
    },
  );
  const ann = enter(scene, permit(["read", "presence"], { presence: '{"former":true}' }), {
    state: encodeValue({ x: 1 }),
  });
  scene.send(ann, { kind: "refresh", token: "good" });
  await Promise.resolve();
  await Promise.resolve();
  expect(ann.of("renewed")).toEqual([{ kind: "renewed", expiresIn: 120_000 }]);
  scene.publish(ann, "m1");
  scene.show(ann, { x: 2 });
  expect(errorsOf(ann)).toEqual([["forbidden", undefined]]);
  expect(scene.join("bob").of("welcome")[0]?.presence.members[0]?.state).toEqual({
    x: 1,
    role: "host",
  });
  await scene.clock.advance(60_000);
  scene.room.sweep();
  expect(ann.closed).toBeUndefined();
  expect(scene.room.nextSweepAt()).toBe((START + 120) * 1_000);
});

test.each<readonly [string, Permit | SluiceError, string, number | undefined]>([
  ["another's", permit(["read"], { subject: "bob", member: "bob" }), "forbidden", undefined],
  ["another member's", permit(["read"], { member: "boss" }), "forbidden", undefined],
  ["not for this room", permit([]), "forbidden", CLOSE.notAllowed.code],
  ["forged", new SluiceError("unauthorized"), "unauthorized", undefined],
  ["expired", new SluiceError("token_expired"), "token_expired", undefined],
  ["revoked", new SluiceError("token_revoked"), "token_revoked", undefined],
])(
  "[I8] a refresh by a token that is %s changes nothing else",
  async (_name, given, code, close) => {
    const scene = new RoomScene({}, { bad: given });
    const ann = enter(scene, permit(["read"]));
    scene.send(ann, { kind: "refresh", token: "bad" });
    await Promise.resolve();
    await Promise.resolve();
    expect(errorsOf(ann)).toEqual([[code, undefined]]);
    expect(ann.closed?.code).toBe(close);
    await scene.clock.advance(60_000);
    scene.room.sweep();
    expect(ann.closed?.code).toBe(close ?? CLOSE.tokenInvalid.code);
  },
);

test("[I8] refusals count: who goes on is sent away", () => {
  const scene = new RoomScene();
  const ann = enter(scene, permit(["read"]));
  for (let n = 0; n < 400 && ann.closed === undefined; n += 1) scene.publish(ann, `m${n}`);
  expect(ann.closed?.code).toBe(CLOSE.tooManyMessages.code);
});
