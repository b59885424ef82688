import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { PRESENCE_COMPLETE_MEMBERS, PRESENCE_SAMPLE } from "../../src/protocol/limits.ts";
import { read, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { pack } from "../support/pack.ts";
import { until } from "../support/until.ts";

/** Whom a member believes to be here, from its welcome and what it was told since. */
function known(member: RoomMember): Record<string, unknown> {
  const roster = new Map(member.welcome.presence.members.map((one) => [one.member, one.state]));
  for (const { scope, here, gone } of member.of("presenceDiff")) {
    if (scope === "all") roster.clear();
    for (const one of here) roster.set(one.member, one.state);
    for (const name of gone) roster.delete(name);
  }
  return Object.fromEntries([...roster].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function untilKnown(member: RoomMember, roster: Record<string, unknown>): Promise<void> {
  await until(`${JSON.stringify(roster)} is known`, () => {
    return JSON.stringify(known(member)) === JSON.stringify(roster);
  });
}

const goneIn = (member: RoomMember): readonly string[] =>
  member.of("presenceDiff").flatMap(({ gone }) => gone);

const counted = (member: RoomMember): number | undefined =>
  member.of("presenceDiff").at(-1)?.count ?? member.welcome.presence.count;

async function crowd(room: string, count: number): Promise<readonly RoomMember[]> {
  return await Promise.all(
    Array.from({ length: count }, (_, n) => RoomMember.welcomed(room, { member: `m${n}` })),
  );
}

describe("[W6] presence", () => {
  it("[W6] P65 P67 tells who comes, changes and goes", async () => {
    const ann = await RoomMember.welcomed("plain", { member: "ann" });
    const bob = await RoomMember.welcomed("plain", { member: "bob" });
    await untilKnown(ann, { ann: null, bob: null });
    expect(known(bob)).toEqual({ ann: null, bob: null });
    bob.show({ cursor: 7 });
    await untilKnown(ann, { ann: null, bob: { cursor: 7 } });
    bob.show(null);
    await untilKnown(ann, { ann: null, bob: null });
    bob.leave();
    await untilKnown(ann, { ann: null });
    expect(goneIn(ann)).toEqual(["bob"]);
    expect(ann.of("presenceDiff").every(({ scope }) => scope === "diff")).toBe(true);
  });

  it("[W6] shows the state of a hello to those who are here and those who come", async () => {
    const ann = await RoomMember.welcomed("hello", { member: "ann" });
    const bob = await RoomMember.connect("hello");
    bob.send(pack([1, { member: "bob", state: { device: "phone" } }]));
    await untilKnown(ann, { ann: null, bob: { device: "phone" } });
    const eve = await RoomMember.welcomed("hello", { member: "eve" });
    expect(known(eve)).toEqual({ ann: null, bob: { device: "phone" }, eve: null });
    expect(await read("hello/presence")).toEqual({
      count: 3,
      complete: true,
      members: [
        { member: "ann", state: null },
        { member: "bob", state: { device: "phone" } },
        { member: "eve", state: null },
      ],
    });
  });

  it("[W6] P69 shows a member with several connections once, until the last is gone", async () => {
    const ann = await RoomMember.welcomed("tabs", { member: "ann" });
    const desk = await RoomMember.welcomed("tabs", { member: "bob" });
    const phone = await RoomMember.welcomed("tabs", { member: "bob" });
    desk.show("desk");
    phone.show("phone");
    await untilKnown(ann, { ann: null, bob: "phone" });
    expect(await stat("tabs", "members")).toBe(2);
    await phone.close();
    await untilKnown(ann, { ann: null, bob: "desk" });
    expect(goneIn(ann)).toEqual([]);
    await desk.close();
    await untilKnown(ann, { ann: null });
    expect(goneIn(ann)).toEqual(["bob"]);
  });

  it("[W6] P66 refuses a state that is too large or cannot be carried, and keeps the former", async () => {
    const ann = await RoomMember.welcomed("states", { member: "ann" });
    ann.show("fine");
    await untilKnown(ann, { ann: "fine" });
    ann.show("x".repeat(1_024));
    ann.send(Uint8Array.of(0x92, 5, 0xd4, 1, 0));
    await until("both are refused", () => ann.errors.length === 2);
    expect(ann.errors).toEqual(["state_too_large", "bad_payload"]);
    expect(ann.closed).toBeUndefined();
    expect(await read("states/presence")).toMatchObject({ members: [{ state: "fine" }] });
  });

  it("[W6] [I7] leaves no ghosts: when all are gone, however they went, nothing is left", async () => {
    const members = await crowd("ghosts", 12);
    const tabs = await crowd("ghosts", 6);
    const viewerless = await stat("ghosts", "connections");
    expect(viewerless).toBe(18);
    for (const [n, member] of [...members, ...tabs].entries()) {
      if (n % 3 === 0) member.leave();
      else if (n % 3 === 1) member.socket.close(1001, "");
      else member.send("nonsense");
    }
    await until("all are gone", async () => (await stat("ghosts", "connections")) === 0);
    expect(await read("ghosts/presence")).toEqual({ count: 0, complete: true, members: [] });
    expect(await read("ghosts/stats")).toMatchObject({
      members: 0,
      connections: 0,
      live: 0,
      lagging: 0,
      outstandingBytes: 0,
      pendingBytes: 0,
      mailWaiting: 0,
    });
    await evictDurableObject(env.ROOMS.getByName("ghosts"));
    expect(await read("ghosts/presence")).toEqual({ count: 0, complete: true, members: [] });
  });

  it("[W6] P68 only counts a large room, and lists it when it is small again", async () => {
    const room = "large";
    const ann = await RoomMember.welcomed(room, { member: "ann" });
    const others = await crowd(room, PRESENCE_COMPLETE_MEMBERS - 1);
    await until("all are known", () => counted(ann) === PRESENCE_COMPLETE_MEMBERS);
    expect(Object.keys(known(ann))).toHaveLength(PRESENCE_COMPLETE_MEMBERS);
    const last = await RoomMember.welcomed(room, { member: "last" });
    await until("they are counted", () => counted(ann) === PRESENCE_COMPLETE_MEMBERS + 1);
    expect(ann.of("presenceDiff").at(-1)).toMatchObject({ scope: "count", here: [], gone: [] });
    expect(last.welcome.presence).toMatchObject({
      count: PRESENCE_COMPLETE_MEMBERS + 1,
      complete: false,
    });
    expect(last.welcome.presence.members).toHaveLength(PRESENCE_SAMPLE);
    // In a large room a change of state is nobody's news.
    last.show("unseen");
    others[0]?.leave();
    others[1]?.leave();
    await until("it is small", () => ann.of("presenceDiff").some(({ scope }) => scope === "all"));
    await untilKnown(
      ann,
      Object.fromEntries(
        [...others.slice(2).map(({ welcome }) => welcome.member), "ann", "last"]
          .toSorted((a, b) => (a < b ? -1 : 1))
          .map((name) => [name, name === "last" ? "unseen" : null]),
      ),
    );
    expect(JSON.stringify(known(last))).toBe(JSON.stringify(known(ann)));
  });

  it("[W6] [I1] P68 lists a room that was large when it fell asleep", async () => {
    const room = "large-sleep";
    const ann = await RoomMember.welcomed(room, { member: "ann" });
    const others = await crowd(room, PRESENCE_COMPLETE_MEMBERS);
    await until("it is large", () => ann.of("presenceDiff").at(-1)?.scope === "count");
    await evictDurableObject(env.ROOMS.getByName(room));
    await others[0]?.close();
    await until("it is listed", () => ann.of("presenceDiff").at(-1)?.scope === "all");
    expect(Object.keys(known(ann))).toHaveLength(PRESENCE_COMPLETE_MEMBERS);
    expect(known(ann)).not.toHaveProperty("m0");
  });
});
