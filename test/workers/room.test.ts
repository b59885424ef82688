import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

describe("[W1] a room", () => {
  it("[W1] [I1] brings a message to everyone, also after it has slept", async () => {
    const ann = await RoomMember.join("lobby", { member: "ann" });
    const bob = await RoomMember.join("lobby", { member: "bob" });
    await until("bob is welcome", () => bob.of("welcome").length === 1);
    ann.publish("1", { hello: "world" });
    await until("bob has it", () => bob.payloads.length === 1);
    await evictDurableObject(env.ROOMS.getByName("lobby"));
    bob.publish("2", "again");
    await until("ann has both", () => ann.payloads.length === 2);
    expect(ann.payloads).toEqual([{ hello: "world" }, "again"]);
    expect(ann.messages.map(({ seq, sender }) => [seq, sender])).toEqual([
      [1, "ann"],
      [2, "bob"],
    ]);
  });
});
