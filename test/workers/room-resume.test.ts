import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { pack } from "../support/pack.ts";
import { postMany } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

/** Publishes so fast that most messages share rows, and returns a member who has them all. */
async function batched(room: string, count: number): Promise<RoomMember> {
  const ann = await RoomMember.welcomed(room, { member: "ann" });
  for (let n = 1; n <= count; n += 1) ann.publish(String(n), n);
  await until("all are there", () => ann.seqs.length === count);
  return ann;
}

const upTo = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("[W3] coming back", () => {
  it("[I3] P55 goes on after any position, also in the middle of a batch", async () => {
    const ann = await batched("wild:middle", 40);
    const { epoch } = ann.welcome;
    expect(ann.of("deliver").length).toBeLessThan(40);
    for (const seq of upTo(0, 40)) {
      const back = await RoomMember.welcomed("wild:middle", { resume: { epoch, seq } });
      await until("the rest has come", () => back.seqs.length === 40 - seq);
      expect(back.payloads).toEqual(upTo(seq + 1, 40));
      expect(back.of("gap")).toEqual([]);
      await back.close();
    }
  });

  it("[I3] P55 is live at once at the head, and misses nothing from then on", async () => {
    const ann = await batched("head", 3);
    const back = await RoomMember.welcomed("head", { resume: ann.position });
    expect(back.welcome.head).toBe(3);
    ann.publish("4", 4);
    await until("it hears", () => back.payloads.length === 1);
    expect(back.seqs).toEqual([4]);
  });

  it("[I3] P41 passes from what it missed to what happens without gap or repetition", async () => {
    const ann = await batched("wild:seam", 200);
    const { epoch } = ann.welcome;
    const back = RoomMember.join("wild:seam", { resume: { epoch, seq: 50 } });
    for (let n = 201; n <= 400; n += 1) ann.publish(String(n), n);
    const bob = await back;
    const acking = (): boolean => {
      bob.ack(bob.seqs.at(-1) ?? 0);
      return bob.seqs.length === 350;
    };
    await until("it has all", acking);
    expect(bob.payloads).toEqual(upTo(51, 400));
  });

  it.each([
    [undefined, []],
    [0, []],
    [1, [3]],
    [2, [2, 3]],
    [1000, [1, 2, 3]],
    [1_000_000, [1, 2, 3]],
  ])("[W3] P23 replays history of %s", async (history, payloads) => {
    const room = `history-${history}`;
    await batched(room, 3);
    const bob = await RoomMember.welcomed(room, { history });
    bob.publish("last", "last");
    await until("it is live", () => bob.payloads.includes("last"));
    expect(bob.payloads).toEqual([...payloads, "last"]);
  });

  it("[W3] P23 lets a position count more than history", async () => {
    const ann = await batched("both", 5);
    const bob = await RoomMember.welcomed("both", {
      history: 5,
      resume: { epoch: ann.welcome.epoch, seq: 4 },
    });
    await until("it has come", () => bob.seqs.length === 1);
    expect(bob.seqs).toEqual([5]);
  });

  it("[I4] P56 says what was trimmed, then gives the rest", async () => {
    await postMany("short:trim", 120);
    const early = await RoomMember.welcomed("short:trim", { history: 1_000 });
    const { epoch } = early.welcome;
    const back = await RoomMember.welcomed("short:trim", { resume: { epoch, seq: 3 } });
    await until("the rest has come", () => back.seqs.at(-1) === 120);
    const [gap, ...more] = back.of("gap");
    expect(more).toEqual([]);
    expect(gap).toMatchObject({ reason: "trimmed", from: 4 });
    expect(back.seqs).toEqual(upTo((gap?.to ?? 0) + 1, 120));
    expect(back.seqs.length).toBeGreaterThanOrEqual(10);
    const kinds = back.frames.map(({ kind }) => kind).filter((kind) => kind !== "presenceDiff");
    expect(kinds.slice(0, 2)).toEqual(["welcome", "gap"]);
    // History asks for what there is: nothing is lost to who never had it.
    expect(early.of("gap")).toEqual([]);
  });

  it("[I4] P56 says that the epoch is another one and gives all there is", async () => {
    await batched("epoch", 3);
    const back = await RoomMember.welcomed("epoch", { resume: { epoch: "elsewhere", seq: 2 } });
    await until("all has come", () => back.seqs.length === 3);
    expect(back.of("gap")).toMatchObject([{ reason: "epoch", from: 0, to: 0 }]);
    expect(back.seqs).toEqual([1, 2, 3]);
  });

  it("[I4] P56 says that the position was never reached and goes on at the head", async () => {
    const ann = await batched("future", 3);
    const { epoch } = ann.welcome;
    const back = await RoomMember.welcomed("future", { resume: { epoch, seq: 99 } });
    await until("it is said", () => back.of("gap").length === 1);
    expect(back.of("gap")).toMatchObject([{ reason: "future", from: 0, to: 3 }]);
    ann.publish("4", 4);
    await until("it hears", () => back.seqs.length === 1);
    expect(back.seqs).toEqual([4]);
    back.ack(4);
    await back.beat();
    expect(back.closed).toBeUndefined();
  });

  it("[I4] [I1] keeps the epoch and what was trimmed through a sleep", async () => {
    await postMany("short:sleep", 100);
    const ann = await RoomMember.welcomed("short:sleep");
    await evictDurableObject(env.ROOMS.getByName("short:sleep"));
    const { epoch } = ann.welcome;
    const back = await RoomMember.welcomed("short:sleep", { resume: { epoch, seq: 1 } });
    expect(back.welcome).toMatchObject({ epoch, head: 100 });
    await until("the rest has come", () => back.seqs.at(-1) === 100);
    expect(back.of("gap")).toMatchObject([{ reason: "trimmed", from: 2 }]);
  });

  it.each([
    ["an epoch that is none", ["no epoch!", 1], "bad_position"],
    ["a negative position", ["k3f9", -1], "bad_frame"],
    ["a fraction", ["k3f9", 1.5], "bad_frame"],
    ["text", "k3f9_0000000000000001", "bad_frame"],
    ["three elements", ["k3f9", 1, 1], "bad_frame"],
  ])("[W4] P25 ends a connection that resumes from %s", async (_, resume, code) => {
    const ann = await RoomMember.connect("malformed");
    ann.send(pack([1, { resume }]));
    await until("it is closed", () => ann.closed !== undefined);
    expect([ann.closed, ann.errors, ann.of("welcome")]).toEqual([4400, [code], []]);
  });

  it("[W4] P53 ends a connection that acks more than it was sent, and ignores old acks", async () => {
    const ann = await batched("acks", 3);
    ann.ack(3);
    ann.ack(1);
    ann.publish("4", 4);
    await until("it goes on", () => ann.seqs.length === 4);
    ann.ack(5);
    await until("it is closed", () => ann.closed !== undefined);
    expect([ann.closed, ann.errors]).toEqual([4400, ["bad_position"]]);
  });
});
