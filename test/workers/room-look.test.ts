import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { post, read, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";
import { PRESENCE_SAMPLE } from "../../src/protocol/limits.ts";

describe("[B2] looking at a room over HTTP", () => {
  it("[B2] gives figures", async () => {
    const ann = await RoomMember.welcomed("figures", { member: "ann" });
    ann.publish("1", 1);
    ann.direct("2", "bob", 2);
    await until("both are answered", () => ann.answers.length === 2);
    const stats = await read("figures/stats");
    expect(stats).toMatchObject({
      members: 1,
      connections: 1,
      live: 1,
      lagging: 0,
      pendingBytes: 0,
      messages: 1,
      rows: 1,
      mailWaiting: 1,
      wakes: 1,
    });
    for (const name of ["outstandingBytes", "bytes", "rowsWritten", "databaseBytes"]) {
      expect(stats[name]).toBeGreaterThan(0);
    }
    ann.ack(1);
    await until(
      "nothing is under way",
      async () => (await stat("figures", "outstandingBytes")) === 0,
    );
  });

  it("[W6] P90 gives presence as JSON", async () => {
    const ann = await RoomMember.welcomed("states", { member: "ann" });
    ann.show({ avatar: Uint8Array.of(1, 2), big: 2n ** 60n });
    await until("it is shown", async () => {
      const { members } = await read("states/presence");
      return (members as { state: unknown }[])[0]?.state !== null;
    });
    expect(await read("states/presence")).toEqual({
      count: 1,
      complete: true,
      members: [
        { member: "ann", state: { avatar: { $base64: "AQI=" }, big: "1152921504606846976" } },
      ],
    });
  });

  it("[W6] gives a sample of a crowd", async () => {
    for (let n = 0; n <= 100; n += 1) await RoomMember.welcomed("crowd", { member: `m${n}` });
    const { count, complete, members } = await read("crowd/presence");
    expect([count, complete, (members as unknown[]).length]).toEqual([101, false, PRESENCE_SAMPLE]);
  });

  it("[I1] stores nothing for a room that nobody has used", async () => {
    expect(await read("nobody/presence")).toEqual({ count: 0, complete: true, members: [] });
    const { next, messages } = await read("nobody/messages");
    expect(messages).toEqual([]);
    const lost = await read("nobody/messages?after=elsewhere_0000000000000001");
    expect(lost).toMatchObject({ messages: [], gap: { reason: "epoch" }, done: true });
    expect(await read("nobody/stats")).toMatchObject({ connections: 0, messages: 0, wakes: 0 });
    const tables = await runInDurableObject(
      env.ROOMS.getByName("nobody"),
      (_, state) => state.storage.sql.exec("SELECT name FROM sqlite_master").toArray().length,
    );
    expect(tables).toBe(0);
    const used = Object.keys(await read("figures/stats"));
    expect(Object.keys(await read("nobody/stats")).toSorted()).toEqual(used.toSorted());
    await post("nobody", { event: "tick", payload: 1 });
    // Who looked before it began has lost nothing.
    const begun = await read(`nobody/messages?after=${String(next)}`);
    expect(begun).not.toHaveProperty("gap");
    expect(begun["messages"]).toHaveLength(1);
  });
});
