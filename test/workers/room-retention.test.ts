import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { post, postMany, read, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

/** Messages over its limit that a log keeps before it trims. */
const SLACK = 64;

async function positions(room: string): Promise<readonly number[]> {
  const { messages } = await read(`${room}/messages?limit=1000`);
  return (messages as { position: string }[]).map(({ position }) => Number(position.split("_")[1]));
}

describe("[W5] what a room keeps", () => {
  it("[W5] is bounded by count, per class of room", async () => {
    await postMany("short:kept", 100);
    await postMany("kept", 100);
    const short = await positions("short:kept");
    expect(short.length).toBeGreaterThanOrEqual(10);
    expect(short.length).toBeLessThanOrEqual(10 + SLACK);
    expect(short.at(-1)).toBe(100);
    expect(await positions("kept")).toHaveLength(100);
    // A name without a class is no room of one.
    await postMany("short", 80);
    expect(await positions("short")).toHaveLength(80);
  });

  it("[W5] is bounded by bytes", async () => {
    for (let n = 0; n < 12; n += 1) {
      await post("light:kept", { event: "tick", payload: "x".repeat(20_000) });
    }
    expect((await positions("light:kept")).length).toBeLessThan(5);
    expect((await positions("light:kept")).at(-1)).toBe(12);
  });

  it("[W5] [I4] is bounded by age, and says so to who comes back", async () => {
    const ann = await RoomMember.welcomed("brief:kept", { member: "ann" });
    await postMany("brief:kept", 3);
    await until("all has come", () => ann.seqs.length === 3);
    await until("it is old", async () => (await positions("brief:kept")).length === 0);
    await evictDurableObject(env.ROOMS.getByName("brief:kept"));
    const { epoch } = ann.welcome;
    const back = await RoomMember.welcomed("brief:kept", { resume: { epoch, seq: 1 } });
    await until("it is told", () => back.of("gap").length === 1);
    expect(back.of("gap")).toMatchObject([{ reason: "trimmed", from: 2, to: 3 }]);
    expect(back.welcome).toMatchObject({ epoch, head: 3 });
    await post("brief:kept", { event: "tick", payload: 4 });
    await until("it is live", () => back.seqs.length === 1);
    expect(back.seqs).toEqual([4]);
    expect(await stat("brief:kept", "messages")).toBeLessThanOrEqual(1);
  });
});
