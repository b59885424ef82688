/** What is published by request instead of over a socket: at the rate of its member, once. */
import { expect, test } from "vitest";
import type { Message } from "../../../durable-objects/delivery/publisher.ts";
import { publishRequest } from "../../../durable-objects/room/publish-request.ts";
import { SluiceError } from "../../../src/protocol/errors.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { RoomScene } from "../../support/room-scene.ts";

const SLOW = { messageRate: { perSecond: 5, burst: 20 }, byteRate: { perSecond: 100, burst: 400 } };

function ticks(count: number, { sender = "ann", prefix = "m", size = 1 } = {}): readonly Message[] {
  const payload = encodeValue("x".repeat(size));
  return Array.from({ length: count }, (_, n) => ({
    sender,
    event: "tick",
    payload,
    id: `${prefix}${n}`,
  }));
}

/** Publishes, and waits for no batch. */
async function say(scene: RoomScene, messages: readonly Message[], key?: string) {
  const stored = publishRequest(scene.room, messages, key);
  scene.room.publisher.flush();
  return await stored;
}

async function refusalOf(attempt: Promise<unknown>): Promise<SluiceError> {
  const thrown = await attempt.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof SluiceError) return thrown;
  throw new Error("It was not refused.");
}

test("[W4][B1] a request spends from the account that its member's sockets spend from", async () => {
  const scene = new RoomScene(SLOW);
  const ann = scene.join("ann");
  for (let n = 0; n < 15; n += 1) scene.publish(ann, `s${n}`);
  const refusal = await refusalOf(say(scene, ticks(6)));
  expect([refusal.code, refusal.retryAfter]).toEqual(["rate_limited", 0.2]);
  expect(scene.room.log.tail).toBe(15);
  // All or nothing: what was refused has cost nothing.
  expect(await say(scene, ticks(5))).toEqual([16, 17, 18, 19, 20]);
  scene.publish(ann, "one-more");
  expect(ann.of("error").map(({ code, id }) => [code, id])).toEqual([["rate_limited", "one-more"]]);
  await scene.clock.advance(200);
  scene.publish(ann, "later");
  scene.room.publisher.flush();
  expect(scene.room.log.tail).toBe(21);
});

test("[W4][B1] bytes count as well, and what they refuse costs no messages", async () => {
  const scene = new RoomScene(SLOW);
  await say(scene, ticks(1, { size: 300, prefix: "a" }));
  const large = ticks(1, { size: 200, prefix: "b" });
  for (let n = 0; n < 30; n += 1) {
    expect((await refusalOf(say(scene, large))).code).toBe("rate_limited");
  }
  expect(await say(scene, ticks(10, { prefix: "c" }))).toHaveLength(10);
});

test("[W4][E2] what can never pass at once is refused for good, one message never", async () => {
  const scene = new RoomScene(SLOW);
  for (const messages of [ticks(21), ticks(2, { size: 300 })]) {
    const refusal = await refusalOf(say(scene, messages));
    expect([refusal.code, refusal.detail]).toEqual([
      "invalid_request",
      "A member may publish 20 messages or 400 bytes at once here: send fewer in a request.",
    ]);
  }
  expect(await say(scene, ticks(20))).toHaveLength(20);
  await scene.clock.advance(60_000);
  expect(await say(scene, ticks(1, { size: 1_000, prefix: "l" }))).toEqual([21]);
});

test("[W4] other members have accounts of their own, and a backend has none", async () => {
  const scene = new RoomScene(SLOW);
  await say(scene, ticks(20));
  expect((await refusalOf(say(scene, ticks(1, { prefix: "n" })))).code).toBe("rate_limited");
  expect(await say(scene, ticks(20, { sender: "bob" }))).toHaveLength(20);
  for (let n = 0; n < 4; n += 1) {
    const all = ticks(256, { sender: "", prefix: `p${n}.` });
    expect(await say(scene, all)).toHaveLength(256);
  }
});

test("[W3][W4] a repetition is answered as before, however little may be said", async () => {
  const scene = new RoomScene(SLOW);
  const own = await say(scene, ticks(10));
  const keyed = ticks(10, { prefix: "sluice.key.k." });
  const first = await say(scene, keyed, "sluice.key.k.");
  const isSpent = say(scene, ticks(1, { prefix: "n" }));
  expect((await refusalOf(isSpent)).code).toBe("rate_limited");
  expect(await say(scene, keyed, "sluice.key.k.")).toEqual(first);
  expect(await say(scene, ticks(10))).toEqual(own);
  // Only what is new is paid for: one message, not eleven.
  await scene.clock.advance(200);
  expect(await say(scene, ticks(11))).toEqual([...own, 21]);
  const changed = ticks(9, { prefix: "sluice.key.k." });
  const conflict = say(scene, changed, "sluice.key.k.");
  expect((await refusalOf(conflict)).code).toBe("idempotency_conflict");
});

test("[W4] refused requests close nobody's connection", async () => {
  const scene = new RoomScene(SLOW);
  const ann = scene.join("ann");
  await say(scene, ticks(20));
  for (let n = 0; n < 100; n += 1) {
    await refusalOf(say(scene, ticks(1, { prefix: "n" })));
  }
  scene.publish(ann, "s1");
  expect([ann.of("error").length, ann.closed]).toEqual([1, undefined]);
});
