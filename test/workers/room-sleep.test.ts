import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { RoomMember } from "../support/room-member.ts";
import { post, read, RoomViewer, stat } from "../support/room-http.ts";
import { until } from "../support/until.ts";

/** Milliseconds in which an object leaves that nothing holds; a pending timer holds it for longer. */
const AT_ONCE_MS = 5_000;

async function sleep(room: string): Promise<void> {
  const begun = Date.now();
  await evictDurableObject(env.ROOMS.getByName(room));
  expect(Date.now() - begun).toBeLessThan(AT_ONCE_MS);
}

async function pair(room: string): Promise<readonly [RoomMember, RoomMember]> {
  const ann = await RoomMember.welcomed(room, { member: "ann" });
  const bob = await RoomMember.welcomed(room, { member: "bob" });
  await until("ann knows of bob", () => ann.of("presenceDiff").some(({ count }) => count === 2));
  return [ann, bob];
}

describe("[I1] a room that sleeps", () => {
  it("[I1] keeps members, positions and presence, and announces nobody anew", async () => {
    const [ann, bob] = await pair("nap");
    ann.show({ mood: "awake" });
    await until("bob sees it", () => bob.of("presenceDiff").length > 0 && hasMood(bob));
    ann.publish("1", "one");
    await until("bob has it", () => bob.payloads.length === 1);
    const told = [ann, bob].map((member) => member.of("presenceDiff").length);
    await sleep("nap");
    bob.publish("2", "two");
    await until("both have it", () => ann.payloads.length === 2 && bob.payloads.length === 2);
    expect(bob.seqs).toEqual([1, 2]);
    expect(await read("nap/presence")).toEqual({
      count: 2,
      complete: true,
      members: expect.arrayContaining([
        { member: "ann", state: { mood: "awake" } },
        { member: "bob", state: null },
      ]) as unknown,
    });
    expect([ann, bob].map((member) => member.of("presenceDiff").length)).toEqual(told);
    expect([ann.of("welcome").length, bob.of("welcome").length]).toEqual([1, 1]);
  });

  it("[I1] [I3] sleeps no earlier than a message has left to all of many, and in order", async () => {
    const members = await Promise.all(
      Array.from({ length: 60 }, (_, nth) =>
        RoomMember.welcomed("crowd", { member: `m${nth}`, credit: { messages: 500, bytes: 1e6 } }),
      ),
    );
    for (let round = 1; round <= 3; round += 1) {
      const answered = members.map(({ answers }) => answers.length);
      for (const [nth, member] of members.entries()) member.publish(`r${round}-${nth}`, nth);
      await until("all is confirmed", () =>
        members.every(({ answers }, nth) => answers.length > (answered[nth] ?? 0)),
      );
      await sleep("crowd");
    }
    for (let n = 0; n < 10; n += 1) {
      await post("crowd", { event: "tick", payload: n });
      await evictDurableObject(env.ROOMS.getByName("crowd"));
    }
    await until("all have all", () => members.every(({ seqs }) => seqs.length === 190));
    const seqs = Array.from({ length: 190 }, (_, index) => index + 1);
    for (const member of members) expect(member.seqs).toEqual(seqs);
  });

  it("[I1] [W2] answers heartbeats without waking", async () => {
    const [ann, bob] = await pair("heartbeat");
    expect(await stat("heartbeat", "wakes")).toBe(1);
    await sleep("heartbeat");
    for (let n = 0; n < 5; n += 1) await Promise.all([ann.beat(), bob.beat()]);
    // Asking wakes it: once for the question, not once more for the beats.
    expect(await stat("heartbeat", "wakes")).toBe(2);
    expect(await stat("heartbeat", "members")).toBe(2);
  });

  it("[I1] sleeps although somebody reads its event stream, who misses nothing", async () => {
    const viewer = await RoomViewer.open("watched/events");
    const ann = await RoomMember.welcomed("watched", { member: "ann" });
    ann.publish("1", "before");
    await until("it is seen", () => viewer.payloads.length === 1);
    await sleep("watched");
    ann.publish("2", "after");
    await until("it is seen", () => viewer.payloads.length === 2);
    await sleep("watched");
    await post("watched", { event: "tick", payload: "from outside" });
    await until("it is seen", () => viewer.payloads.length === 3);
    expect(viewer.payloads).toEqual(["before", "after", "from outside"]);
    expect(await stat("watched", "wakes")).toBe(3);
    expect(await stat("watched", "connections")).toBe(2);
    await viewer.close();
    await until("it is gone", async () => (await stat("watched", "connections")) === 1);
  });

  it("[I1] [W3] P33 remembers which messages it has", async () => {
    const [ann, bob] = await pair("memory");
    ann.publish("once", 1);
    await until("it is answered", () => ann.answers.length === 1);
    await sleep("memory");
    ann.publish("once", 1);
    await until("it is answered again", () => ann.answers.length === 2);
    expect(ann.answers).toEqual([
      ["once", 1],
      ["once", 1],
    ]);
    ann.publish("next", 2);
    await until("bob has the next", () => bob.payloads.includes(2));
    expect(bob.payloads).toEqual([1, 2]);
  });

  it("[I1] has no pending timer after messages, presence and comings and goings", async () => {
    const [ann, bob] = await pair("timers");
    for (let n = 0; n < 20; n += 1) bob.publish(String(n), n);
    bob.show(1);
    bob.show(2);
    const eve = await RoomMember.welcomed("timers", { member: "eve" });
    await until("ann knows of eve", () => ann.of("presenceDiff").some(({ count }) => count === 3));
    eve.leave();
    await until("all of it is told", () => ann.payloads.length === 20 && hasGone(ann, "eve"));
    await sleep("timers");
    bob.publish("last", "last");
    await until("it is heard", () => ann.payloads.length === 21);
    expect(await stat("timers", "members")).toBe(2);
  });

  it("[I1] [I5] keeps a laggard's place", async () => {
    const slow = await RoomMember.welcomed("laggard", {
      member: "slow",
      credit: { messages: 2, bytes: 1_000 },
    });
    for (let n = 1; n <= 5; n += 1) await post("laggard", { event: "tick", payload: n });
    await until("it has what it has credit for", () => slow.seqs.length === 2);
    await sleep("laggard");
    expect(await stat("laggard", "lagging")).toBe(1);
    slow.ack(2);
    await until("more follows", () => slow.seqs.length === 4);
    await sleep("laggard");
    slow.ack(4);
    await until("the rest follows", () => slow.seqs.length === 5);
    await post("laggard", { event: "tick", payload: 6 });
    await until("it is live again", () => slow.seqs.length === 6);
    expect(slow.payloads).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await stat("laggard", "lagging")).toBe(0);
  });

  it("[I1] [W5] does not send a direct message twice on one connection", async () => {
    const [ann, bob] = await pair("mail");
    ann.direct("d1", "bob", 1);
    await until("bob has it", () => bob.mails.length === 1);
    await sleep("mail");
    ann.direct("d2", "bob", 2);
    await until("bob has the second", () => bob.mails.some(({ payload }) => payload === 2));
    expect(bob.mails.map(({ payload }) => payload)).toEqual([1, 2]);
    await sleep("mail");
    bob.ack(0, bob.mails.at(-1)?.mail ?? 0);
    await until("none waits", async () => (await stat("mail", "mailWaiting")) === 0);
    expect(bob.closed).toBeUndefined();
  });

  it("[I1] [W6] lets who closes while it sleeps leave once", async () => {
    const [ann, bob] = await pair("goodbye");
    await sleep("goodbye");
    await bob.close();
    await until("ann knows", () => hasGone(ann, "bob"));
    await sleep("goodbye");
    ann.publish("1", 1);
    await until("it is awake", () => ann.payloads.length === 1);
    expect(ann.of("presenceDiff").filter(({ gone }) => gone.includes("bob"))).toHaveLength(1);
    expect(await read("goodbye/presence")).toMatchObject({ count: 1 });
  });

  it("[I1] [W6] P69 lets a member leave once whose connections all close while it sleeps", async () => {
    const [ann, desk] = await pair("all-tabs");
    const phone = await RoomMember.welcomed("all-tabs", { member: "bob" });
    await sleep("all-tabs");
    await Promise.all([desk.close(), phone.close()]);
    await until("both are gone", async () => (await stat("all-tabs", "connections")) === 1);
    // Whoever leaves later is told later: so all about bob has been told then.
    const eve = await RoomMember.welcomed("all-tabs", { member: "eve" });
    await until("ann knows of eve", () => JSON.stringify(ann.of("presenceDiff")).includes("eve"));
    eve.leave();
    await until("ann knows that eve left", () => hasGone(ann, "eve"));
    expect(ann.of("presenceDiff").flatMap(({ gone }) => gone)).toEqual(["bob", "eve"]);
  });

  it("[I1] [W6] [I7] does not bring back who was shown out and never answered", async () => {
    const [ann, bob] = await pair("ghost");
    bob.leave();
    await until("ann knows", () => hasGone(ann, "bob"));
    await sleep("ghost");
    ann.publish("1", 1);
    await until("it is awake", () => ann.payloads.length === 1);
    expect(await read("ghost/presence")).toMatchObject({ count: 1 });
    expect(await stat("ghost", "connections")).toBe(1);
    expect(hasGone(ann, "bob")).toBe(true);
  });

  it("[I1] [W6] P69 knows on waking that a member has another connection", async () => {
    const [ann, desk] = await pair("tabs");
    const phone = await RoomMember.welcomed("tabs", { member: "bob" });
    await sleep("tabs");
    await desk.close();
    await until("it is gone", async () => (await stat("tabs", "connections")) === 2);
    expect(await read("tabs/presence")).toMatchObject({ count: 2 });
    await sleep("tabs");
    await phone.close();
    await until("ann knows", () => hasGone(ann, "bob"));
    expect(ann.of("presenceDiff").flatMap(({ gone }) => gone)).toEqual(["bob"]);
  });

  it("[I1] [W5] keeps what waits for a member who is away", async () => {
    const ann = await RoomMember.welcomed("away", { member: "ann" });
    ann.direct("d1", "bob", "first");
    await until("it is answered", () => ann.answers.length === 1);
    await sleep("away");
    const bob = await RoomMember.welcomed("away", { member: "bob" });
    await until("it has come", () => bob.mails.length === 1);
    expect(bob.mails.map(({ payload }) => payload)).toEqual(["first"]);
  });
});

function hasMood(member: RoomMember): boolean {
  return member.of("presenceDiff").some(({ here }) => here.some(({ state }) => state !== null));
}

function hasGone(member: RoomMember, name: string): boolean {
  return member.of("presenceDiff").some(({ gone }) => gone.includes(name));
}
