/** The object that counts for one caller, and the objects that hold its connections. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { nameSlot } from "../../durable-objects/platform/slots.ts";
import { DAY_MS } from "../../src/protocol/limits.ts";
import { encodePermit, OPEN_PERMIT } from "../../src/protocol/permit.ts";

const PATIENCE = { timeout: 10_000, interval: 5 };
const slot = (id: string, name: string) => ({ id, kind: "room" as const, name, until: null });

/** Quotas nobody has used before. */
function newQuota() {
  const id = env.QUOTAS.idFromName(`subject:${crypto.randomUUID()}`);
  return { id, stub: env.QUOTAS.get(id) };
}

/** As if all slots had been taken long ago. */
async function age(stub: DurableObjectStub): Promise<void> {
  await runInDurableObject(stub, (_object, { storage }) => {
    storage.sql.exec("UPDATE quota_slots SET since = 0").toArray();
  });
}

async function connect(room: string, slotName: string): Promise<WebSocket> {
  const { webSocket } = await env.ROOMS.getByName(room).fetch("https://room/", {
    headers: {
      upgrade: "websocket",
      "sluice-door": "member",
      "sluice-permit": encodePermit(OPEN_PERMIT),
      "sluice-slots": slotName,
    },
  });
  if (webSocket === null) throw new Error("no socket");
  webSocket.accept();
  return webSocket;
}

describe("[E2] slots", () => {
  it("[E2][I7] one that nobody gave back is found when it is in the way, one that is held is not", async () => {
    const { id, stub } = newQuota();
    const room = "held";
    const socket = await connect(room, nameSlot(id, "a"));
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
    const socket = await connect("left", name);
    const room = env.ROOMS.getByName("left");
    expect([await room.holds(name), await room.holds(nameSlot(id, "b"))]).toEqual([true, false]);
    socket.close(1000);
    await vi.waitUntil(async () => await stub.open(slot("b", "left"), 1), PATIENCE);
  });

  it("[E2] a caller who has nothing open and nothing that counts is forgotten", async () => {
    const { stub } = newQuota();
    await stub.open(slot("lost", "nowhere"), 5);
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
    await stub.open({ id: "cut", kind: "answer", name: "", until: 1 }, 5);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await tables()).toBe(0);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
  });
});
