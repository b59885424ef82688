/** Webhooks and the platform's alarm: what waits keeps nobody awake, and nothing is asked for without need. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { RoomMember } from "../support/room-member.ts";

/** Nobody listens there. */
const RECEIVER = {
  WEBHOOK_URL: "http://127.0.0.1:1/hook",
  WEBHOOK_SECRET: `whsec_${"A".repeat(32)}`,
};

describe("[E2] webhooks of an object", () => {
  it("[E2][I1] an object sleeps while something waits for a receiver that is dead", async () => {
    Object.assign(env, RECEIVER);
    try {
      const member = await RoomMember.welcomed("told");
      const room = env.ROOMS.getByName("told");
      const waiting = async (): Promise<readonly unknown[]> =>
        await runInDurableObject(room, (_object, { storage }) =>
          storage.sql.exec("SELECT id, failures FROM webhook_outbox").toArray(),
        );
      await runDurableObjectAlarm(room);
      const before = await waiting();
      expect(before).toHaveLength(1);
      await evictDurableObject(room, { webSockets: "hibernate" });
      const due = await runInDurableObject(room, (_object, { storage }) => storage.getAlarm());
      expect(due ?? 0).toBeGreaterThan(Date.now());
      await runDurableObjectAlarm(room);
      expect((await waiting()).length).toBe(1);
      member.socket.close(1000);
    } finally {
      Object.assign(env, { WEBHOOK_URL: "", WEBHOOK_SECRET: "" });
    }
  });

  it("[E2] without a receiver, nothing is stored", async () => {
    await RoomMember.welcomed("untold");
    const tables = await runInDurableObject(env.ROOMS.getByName("untold"), (_object, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'webhook%'").toArray(),
    );
    expect(tables).toEqual([]);
  });
});
