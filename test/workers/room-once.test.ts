import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { post, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

describe("[W3] exactly once", () => {
  it("[W3] P33 stores a message once that is repeated on one connection", async () => {
    const ann = await RoomMember.welcomed("repeat", { member: "ann" });
    const bob = await RoomMember.welcomed("repeat", { member: "bob" });
    ann.publish("a", 1);
    await until("it is answered", () => ann.answers.length === 1);
    ann.publish("a", 1);
    ann.publish("b", 2);
    await until("all are answered", () => ann.answers.length === 3);
    await until("bob has them", () => bob.payloads.includes(2));
    expect(ann.answers).toEqual([
      ["a", 1],
      ["a", 1],
      ["b", 2],
    ]);
    expect(bob.payloads).toEqual([1, 2]);
  });

  it("[W3] P33 stores a message once that is repeated within a batch", async () => {
    const ann = await RoomMember.welcomed("batch", { member: "ann" });
    // The first leaves at once and opens a batch, in which the rest meet.
    for (const id of ["a", "b", "b", "c", "b", "a"]) ann.publish(id, id);
    await until("all are answered", () => ann.answers.length === 6);
    await until("all are delivered", () => ann.payloads.includes("c"));
    expect(ann.payloads).toEqual(["a", "b", "c"]);
    const answers = new Map(ann.answers);
    expect([...answers]).toEqual(
      expect.arrayContaining([
        ["a", 1],
        ["b", 2],
        ["c", 3],
      ]),
    );
    expect(ann.answers.filter(([id]) => id === "b")).toEqual([
      ["b", 2],
      ["b", 2],
      ["b", 2],
    ]);
  });

  it("[W3] P33 answers with the original's position after a lost connection", async () => {
    const ann = await RoomMember.welcomed("lost", { member: "ann" });
    ann.publish("a", 1);
    await until("it is delivered", () => ann.payloads.length === 1);
    const { position } = ann;
    await ann.close();
    await post("lost", { event: "tick", payload: "meanwhile" });
    const back = await RoomMember.welcomed("lost", { member: "ann", resume: position });
    back.publish("a", 1);
    back.publish("b", 2);
    await until("both are answered", () => back.answers.length === 2);
    await until("the rest has come", () => back.payloads.includes(2));
    expect(back.answers).toEqual([
      ["a", 1],
      ["b", 3],
    ]);
    expect(back.payloads).toEqual(["meanwhile", 2]);
  });

  it("[W3] [I1] P33 knows ids of many messages after several sleeps", async () => {
    const room = "wild:window";
    const ann = await RoomMember.welcomed(room, { member: "ann" });
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 300; n += 1) ann.publish(String(n), n);
      await until("all are answered", () => ann.answers.length === 300 * (round + 1));
      ann.ack(ann.seqs.at(-1) ?? 0);
      await until("it is live", async () => (await stat(room, "lagging")) === 0);
      await evictDurableObject(env.ROOMS.getByName(room));
    }
    expect(await stat(room, "messages")).toBe(300);
    for (const [id, seq] of ann.answers) expect(seq).toBe(Number(id) + 1);
  });

  it("[W3] P33 takes the same id from two members for two messages", async () => {
    const ann = await RoomMember.welcomed("two", { member: "ann" });
    const bob = await RoomMember.welcomed("two", { member: "bob" });
    ann.publish("same", "from ann");
    bob.publish("same", "from bob");
    await until("both have both", () => ann.payloads.length === 2 && bob.payloads.length === 2);
    expect(new Set(ann.payloads)).toEqual(new Set(["from ann", "from bob"]));
  });

  it("[W3] P33 takes the same id on two connections of a member for one message", async () => {
    const desk = await RoomMember.welcomed("tabs", { member: "ann" });
    const phone = await RoomMember.welcomed("tabs", { member: "ann" });
    desk.publish("same", 1);
    phone.publish("same", 1);
    phone.publish("last", 2);
    await until("all are answered", () => desk.answers.length + phone.answers.length === 3);
    await until("all are delivered", () => desk.payloads.includes(2));
    expect(desk.payloads).toEqual([1, 2]);
    expect(phone.answers).toEqual([
      ["same", 1],
      ["last", 2],
    ]);
  });

  it("[W3] [I7] answers others although a sender goes before its batch is stored", async () => {
    const room = "wild:gone";
    const ann = await RoomMember.welcomed(room, { member: "ann" });
    const bob = await RoomMember.welcomed(room, { member: "bob" });
    for (let round = 1; round <= 5; round += 1) {
      const eve = await RoomMember.welcomed(room, { member: `eve${round}` });
      // The first opens a batch; eve is gone when it ends.
      ann.publish(`open${round}`, 0);
      eve.publish("last-words", round);
      eve.leave();
      bob.publish(`b${round}`, -round);
      await until("bob is answered", () => bob.answers.length === round);
      await until("all is delivered", () => ann.payloads.length === 3 * round);
    }
    expect(ann.payloads).toEqual(expect.arrayContaining([1, 2, 3, 4, 5]));
    expect([ann.closed, bob.closed]).toEqual([undefined, undefined]);
  });
});
