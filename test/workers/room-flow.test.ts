import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { post, postMany, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

const upTo = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

const FEW = { messages: 3, bytes: 1_000_000 };

describe("[I5] [B1] a member that does not keep up", () => {
  it("[I5] P50 P51 is sent what it has credit for and gets the rest as it acks", async () => {
    const slow = await RoomMember.welcomed("slow", { member: "slow", credit: FEW });
    const bob = await RoomMember.welcomed("slow", { member: "bob" });
    await postMany("slow", 20);
    await until("bob has all", () => bob.seqs.length === 20);
    expect(slow.seqs).toEqual([1, 2, 3]);
    expect(await stat("slow", "lagging")).toBe(1);
    expect(await stat("slow", "live")).toBe(1);
    for (let acked = 3; acked < 18; acked += 3) {
      slow.ack(acked);
      await until("three more come", () => slow.seqs.length >= acked + 3);
      expect(slow.seqs).toEqual(upTo(1, acked + 3));
    }
    slow.ack(18);
    await until("it has all", () => slow.seqs.length === 20);
    expect(slow.payloads).toEqual(upTo(1, 20));
    expect(await stat("slow", "lagging")).toBe(0);
    await post("slow", { event: "tick", payload: 21 });
    await until("it is live", () => slow.seqs.length === 21);
  });

  it("[I5] P50 counts bytes too, and one message may always be outstanding", async () => {
    const credit = { messages: 100, bytes: 1 };
    const slow = await RoomMember.welcomed("bytes", { member: "slow", credit });
    for (const n of [1, 2, 3]) {
      await post("bytes", { event: "tick", payload: String(n).repeat(60_000) });
    }
    for (const n of [1, 2, 3]) {
      await until("one comes", () => slow.seqs.length === n);
      expect(await stat("bytes", "lagging")).toBe(n === 3 ? 0 : 1);
      slow.ack(n);
    }
    expect(slow.seqs).toEqual([1, 2, 3]);
  });

  it("[I5] P56 is told what was trimmed while it stood still", async () => {
    const slow = await RoomMember.welcomed("short:slow", { member: "slow", credit: FEW });
    await postMany("short:slow", 100);
    await until("it has what it may", () => slow.seqs.length === 3);
    slow.ack(3);
    await until("it is told", () => slow.of("gap").length === 1);
    const [gap] = slow.of("gap");
    expect(gap).toMatchObject({ reason: "trimmed", from: 4 });
    await until("more comes", () => slow.seqs.length === 6);
    while ((slow.seqs.at(-1) ?? 0) < 100) {
      const { length } = slow.seqs;
      slow.ack(slow.seqs.at(-1) ?? 0);
      await until("more comes", () => slow.seqs.length > length);
    }
    expect(slow.seqs.slice(3)).toEqual(upTo((gap?.to ?? 0) + 1, 100));
  });

  it("[B3] P52 is closed at once where the class of rooms says so, and resumes", async () => {
    const room = "strict:room";
    const slow = await RoomMember.welcomed(room, { member: "slow", credit: FEW });
    const bob = await RoomMember.welcomed(room, { member: "bob" });
    await postMany(room, 6);
    await until("bob has all", () => bob.seqs.length === 6);
    await until("it is closed", () => slow.closed !== undefined);
    expect([slow.closed, slow.seqs]).toEqual([4410, [1, 2, 3]]);
    expect(await stat(room, "members")).toBe(1);
    const back = await RoomMember.welcomed(room, { member: "slow", resume: slow.position });
    await until("it has the rest", () => back.seqs.length === 3);
    expect(back.payloads).toEqual([4, 5, 6]);
  });

  it("[B3] [I7] harms nobody else when the sender itself is closed for it", async () => {
    const room = "strict:sender";
    const slow = await RoomMember.welcomed(room, { member: "slow", credit: FEW });
    const bob = await RoomMember.welcomed(room, { member: "bob" });
    for (let n = 1; n <= 20; n += 1) {
      if (slow.closed === undefined) slow.publish(`s${n}`, n);
      bob.publish(`b${n}`, -n);
      // Else all of it would be two flushes, and the second may exceed the window.
      await until("bob is answered", () => bob.answers.length === n);
    }
    await until("it is closed", () => slow.closed !== undefined);
    await until("bob has his own", () => bob.payloads.includes(-20));
    expect(bob.seqs).toEqual(upTo(1, bob.seqs.length));
    expect(await stat(room, "connections")).toBe(1);
  });

  it("[B3] P52 is closed when it takes nothing for too long, also if only a backend speaks", async () => {
    const room = "impatient:room";
    const slow = await RoomMember.welcomed(room, { member: "slow", credit: FEW });
    const bob = await RoomMember.welcomed(room, { member: "bob" });
    await postMany(room, 5);
    await until("it is closed", () => slow.closed !== undefined);
    expect(slow.closed).toBe(4410);
    await until("bob has all", () => bob.seqs.length === 5);
    expect(bob.closed).toBeUndefined();
  });

  it("[B3] asks to be woken when the patience of a laggard ends", async () => {
    const stub = env.ROOMS.getByName("patience");
    const alarm = async (): Promise<number> =>
      await runInDurableObject(stub, async (_, state) => (await state.storage.getAlarm()) ?? 0);
    await RoomMember.welcomed("patience", { member: "slow", credit: FEW });
    expect((await alarm()) - Date.now()).toBeGreaterThan(200_000);
    await postMany("patience", 5);
    expect((await alarm()) - Date.now()).toBeLessThanOrEqual(60_000);
  });

  it("[I5] P54 misses presence when it acks nothing, and is told everything anew", async () => {
    const room = "wild:presence";
    const ann = await RoomMember.welcomed(room, { member: "ann" });
    const others = await Promise.all(
      Array.from({ length: 60 }, (_, n) => RoomMember.welcomed(room, { member: `m${n}` })),
    );
    const shown = (member: RoomMember): number =>
      member.of("presenceDiff").reduce((sum, { here }) => sum + here.length, 0);
    for (let round = 0; round < 8; round += 1) {
      for (const other of others) {
        other.ack(0);
        other.show(String(round).repeat(1_000));
      }
      await until("an attentive one sees it", () => {
        const [watcher] = others;
        const states = watcher?.of("presenceDiff").flatMap(({ here }) => here) ?? [];
        return (
          states.filter(({ state }) => state === String(round).repeat(1_000)).length >=
          others.length
        );
      });
    }
    expect(shown(ann)).toBeLessThan(60 * 6);
    expect(ann.closed).toBeUndefined();
    ann.ack(0);
    await until("it is told anew", () => ann.of("presenceDiff").at(-1)?.scope === "all");
    const roster = ann.of("presenceDiff").at(-1);
    expect(roster?.here).toHaveLength(61);
    expect(roster?.here.filter(({ state }) => state === "7".repeat(1_000))).toHaveLength(60);
  });
});
