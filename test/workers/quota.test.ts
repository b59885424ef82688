/** The object that counts for one caller, and the objects that hold its connections. */
import {
  abortAllDurableObjects,
  evictDurableObject,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { nameSlot } from "../../durable-objects/platform/slots.ts";
import { DAY_MS } from "../../src/protocol/limits.ts";
import { encodePermit, OPEN_PERMIT } from "../../src/protocol/permit.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

const PATIENCE = { timeout: 10_000, interval: 5 };
const connection = (id: string) => ({ id, pool: "connections", group: id }) as const;
const slot = (id: string, name: string) =>
  ({ ...connection(id), kind: "room", name, until: null }) as const;

/** Quotas nobody has used before. */
function newQuota() {
  const id = env.QUOTAS.idFromName(`subject:${crypto.randomUUID()}`);
  return { id, stub: env.QUOTAS.get(id) };
}

/** A place of an answer among those that are being written. */
const writing = (id: string, name: string) =>
  ({ id, pool: "generations", group: name, kind: "generation", name, until: null }) as const;

/** Asks for an answer that does not end by itself. */
async function begin(name: string, slots: string[], fingerprint = "f", chat: string | null = null) {
  const messages = [{ role: "user", content: "Hi" }];
  return await env.GENERATIONS.getByName(name).start({
    attempt: crypto.randomUUID(),
    record: {
      owner: "subject:ann",
      fingerprint,
      model: "demo-endless",
      whenAbandoned: { kind: "continue" },
      includeUsage: false,
      metadata: null,
      follows: null,
      said: 0,
      chat,
      messageId: null,
      slots,
      promptChars: 2,
      reservation: null,
    },
    said: [],
    request: JSON.stringify({ model: "demo-endless", messages, stream: true }),
  });
}

/** As if all slots had been taken long ago. */
async function age(stub: DurableObjectStub): Promise<void> {
  await runInDurableObject(stub, (_object, { storage }) => {
    storage.sql.exec("UPDATE quota_held SET since = 0").toArray();
  });
}

async function connect(room: string, slotName: string): Promise<RoomMember> {
  const { webSocket } = await env.ROOMS.getByName(room).fetch("https://room/", {
    headers: {
      upgrade: "websocket",
      "sluice-door": "member",
      "sluice-permit": encodePermit(OPEN_PERMIT),
      "sluice-slots": slotName,
    },
  });
  if (webSocket === null) throw new Error("no socket");
  const member = new RoomMember(webSocket);
  // Who has not said hello keeps the room awake.
  member.hello({ member: "ann" });
  await until("the member is welcome", () => member.of("welcome").length === 1);
  return member;
}

describe("[E2] slots", () => {
  it("[E2][I7] one that nobody gave back is found when it is in the way, one that is held is not", async () => {
    const { id, stub } = newQuota();
    const room = "held";
    const { socket } = await connect(room, nameSlot(id, "a"));
    expect(await stub.open(slot("a", room), 2)).toBe(true);
    expect(await stub.open(slot("lost", room), 2)).toBe(true);
    expect(await stub.open(slot("b", room), 2)).toBe(false);
    await age(stub);
    expect(await stub.open(slot("b", room), 2)).toBe(true);
    expect(await stub.open(slot("c", room), 2)).toBe(false);
    socket.close(1000);
  });

  it("[E2] one is given back when its socket closes", async () => {
    const { id, stub } = newQuota();
    const name = nameSlot(id, "a");
    expect(await stub.open(slot("a", "left"), 1)).toBe(true);
    const { socket } = await connect("left", name);
    const room = env.ROOMS.getByName("left");
    expect([await room.holds(name), await room.holds(nameSlot(id, "b"))]).toEqual([true, false]);
    socket.close(1000);
    await vi.waitUntil(async () => await stub.open(slot("b", "left"), 1), PATIENCE);
  });

  it("[E2] a caller who has nothing open and nothing that counts is forgotten", async () => {
    const { stub } = newQuota();
    await stub.open(slot("lost", "nowhere"), 5);
    await stub.open(writing("lost too", `gen_${"d".repeat(32)}`), 5);
    await stub.take([{ counter: "requests", limit: 5, windowMs: DAY_MS, units: 1, ahead: 0 }]);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    const tables = async (): Promise<number> =>
      await runInDurableObject(
        stub,
        (_object, { storage }) => storage.sql.exec("SELECT * FROM quota_used").toArray().length,
      );
    expect(await tables()).toBe(1);
    await age(stub);
    await runInDurableObject(stub, (_object, { storage }) => {
      const over = JSON.stringify({ used: { requests: { resetAt: 1, units: 5 } }, reserved: {} });
      storage.sql.exec("UPDATE quota_used SET state = ?", over).toArray();
    });
    await evictDurableObject(stub, { webSockets: "close" });
    // An answer whose isolate died: nobody can be asked for it.
    await stub.open({ ...connection("cut"), kind: "answer", name: "", until: 1 }, 5);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await tables()).toBe(0);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
  });
});

describe("[E2][I1] slots through sleep", () => {
  it("[E2][I1] of a connection are counted and given back after the quota and the room have slept", async () => {
    const { id, stub } = newQuota();
    const room = "sleeping";
    const name = nameSlot(id, "a");
    expect(await stub.open(slot("a", room), 1)).toBe(true);
    const { socket } = await connect(room, name);
    const holder = env.ROOMS.getByName(room);
    await evictDurableObject(stub, { webSockets: "close" });
    await evictDurableObject(holder, { webSockets: "hibernate" });
    expect(await stub.open(slot("b", room), 1)).toBe(false);
    await age(stub);
    // Asked about, the room still knows it by its socket's tag.
    expect(await stub.open(slot("b", room), 1)).toBe(false);
    await evictDurableObject(stub, { webSockets: "close" });
    await evictDurableObject(holder, { webSockets: "hibernate" });
    socket.close(1000);
    await vi.waitUntil(async () => await stub.open(slot("b", room), 1), PATIENCE);
  });

  it("[E2][I7] of an answer are counted while it is written, and free when its object has lost it", async () => {
    const { id, stub } = newQuota();
    const name = `gen_${"c".repeat(32)}`;
    const generation = env.GENERATIONS.getByName(name);
    expect(await stub.open(writing("a", name), 1)).toBe(true);
    expect((await begin(name, [nameSlot(id, "a")])).ok).toBe(true);
    await evictDurableObject(stub, { webSockets: "close" });
    await age(stub);
    expect(await generation.holds(nameSlot(id, "a"))).toBe(true);
    expect(await stub.open(writing("b", "another"), 1)).toBe(false);
    // The pump was in memory: whatever wakes the object next finds the answer cut off.
    await abortAllDurableObjects();
    expect(await env.GENERATIONS.getByName(name).holds(nameSlot(id, "a"))).toBe(false);
    const later = env.QUOTAS.get(id);
    await vi.waitUntil(async () => await later.open(writing("b", "another"), 1), PATIENCE);
  });

  it("[E2][L3] of an answer are given back when it is stopped as it starts", async () => {
    const { id, stub } = newQuota();
    const name = `gen_${"e".repeat(32)}`;
    expect(await stub.open(writing("a", name), 1)).toBe(true);
    const starting = begin(name, [nameSlot(id, "a")]);
    // Whoever asks now is not told that it is free: nothing is written down yet.
    expect(await env.GENERATIONS.getByName(name).holds(nameSlot(id, "a"))).toBe(true);
    const stopped = await env.GENERATIONS.getByName(name).cancel("subject:ann");
    expect(stopped).toMatchObject({ ok: true, value: { end: { outcome: "stopped" } } });
    expect((await starting).ok).toBe(true);
    await vi.waitUntil(async () => await stub.open(writing("b", "another"), 1), PATIENCE);
  });

  it("[E2][L3] of an answer are given back when another takes its place, whoever still waits for that", async () => {
    const { id, stub } = newQuota();
    const names = ["1", "2", "3"].map((digit) => `gen_${digit.repeat(32)}`);
    for (const [nth, name] of names.entries()) {
      const slot = { ...writing(`s${nth}`, name), group: "the chat" };
      expect(await stub.open(slot, 1)).toBe(true);
    }
    // At once: each of them may find the one before it still starting.
    const started = await Promise.all(
      names.map((name, nth) => begin(name, [nameSlot(id, `s${nth}`)], "f", "the chat")),
    );
    expect(started.every(({ ok }) => ok)).toBe(true);
    const running = async (): Promise<number> => {
      const held = await Promise.all(
        names.map((name, nth) => env.GENERATIONS.getByName(name).holds(nameSlot(id, `s${nth}`))),
      );
      return held.filter(Boolean).length;
    };
    await vi.waitUntil(async () => (await running()) === 1, PATIENCE);
    expect(await stub.open(writing("b", "another"), 1)).toBe(false);
    for (const name of names) await env.GENERATIONS.getByName(name).cancel("subject:ann");
    await vi.waitUntil(async () => await stub.open(writing("b", "another"), 1), PATIENCE);
  });

  it("[E2][I7] of an answer are given back when it is stopped, and by a call that began none", async () => {
    const { id, stub } = newQuota();
    const name = `gen_${"d".repeat(32)}`;
    expect(await stub.open(writing("a", name), 1)).toBe(true);
    expect((await begin(name, [nameSlot(id, "a")])).ok).toBe(true);
    // The same once more takes no place of its own, and leaves the first one's.
    expect(await stub.open(writing("again", name), 1)).toBe(true);
    expect(await begin(name, [nameSlot(id, "again")])).toMatchObject({ value: { isNew: false } });
    expect(await begin(name, [nameSlot(id, "again")], "other")).toMatchObject({
      ok: false,
      code: "idempotency_conflict",
    });
    const ids = async (): Promise<unknown[]> =>
      await runInDurableObject(stub, (_object, { storage }) =>
        storage.sql
          .exec("SELECT id FROM quota_held")
          .toArray()
          .map((row) => row["id"]),
      );
    await vi.waitUntil(async () => (await ids()).length === 1, PATIENCE);
    expect(await ids()).toEqual(["a"]);
    expect(await stub.open(writing("b", "another"), 1)).toBe(false);
    await env.GENERATIONS.getByName(name).cancel("subject:ann");
    await vi.waitUntil(async () => await stub.open(writing("b", "another"), 1), PATIENCE);
  });
});
