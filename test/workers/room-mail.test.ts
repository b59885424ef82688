import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

const upTo = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** Sends direct messages to bob, who is away, and returns their numbers. */
async function write(
  room: string,
  count: number,
  payload: (n: number) => unknown = (n) => n,
): Promise<readonly number[]> {
  const ann = await RoomMember.welcomed(room, { member: "ann" });
  for (let n = 1; n <= count; n += 1) {
    ann.direct(`d${n}`, "bob", payload(n));
    // Large ones one by one, within what a member may say in a while.
    await until("it is answered", () => ann.answers.length === n);
  }
  expect(ann.errors).toEqual([]);
  return ann.answers.map(([, number]) => Number(number));
}

describe("[W5] direct messages to a member who is away", () => {
  it("[W5] P60 P61 wait and arrive in order, once", async () => {
    const numbers = await write("wild:order", 10);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    const bob = await RoomMember.welcomed("wild:order", { member: "bob" });
    await until("all have come", () => bob.mails.length === 10);
    expect(bob.mails.map(({ payload }) => payload)).toEqual(upTo(1, 10));
    expect(bob.mails.map(({ mail }) => mail)).toEqual(numbers);
    bob.ack(0, numbers.at(-1) ?? 0);
    await until("none waits", async () => (await stat("wild:order", "mailWaiting")) === 0);
    const again = await RoomMember.welcomed("wild:order", { member: "bob" });
    again.publish("1", "sync");
    await until("it is live", () => again.payloads.length === 1);
    expect(again.mails).toEqual([]);
  });

  it("[W5] [W3] P62 come again until they are acked, after the last one the client has", async () => {
    const numbers = await write("again", 4);
    const first = await RoomMember.welcomed("again", { member: "bob" });
    await until("all have come", () => first.mails.length === 4);
    await first.close();
    const resume = first.position;
    const second = await RoomMember.welcomed("again", {
      member: "bob",
      resume,
      mail: numbers[1],
    });
    await until("the rest comes again", () => second.mails.length === 2);
    expect(second.mails.map(({ payload }) => payload)).toEqual([3, 4]);
    // What hello said it has is acked.
    expect(await stat("again", "mailWaiting")).toBe(2);
    await evictDurableObject(env.ROOMS.getByName("again"));
    const ann = await RoomMember.welcomed("again", { member: "ann" });
    ann.direct("d5", "bob", 5);
    ann.direct("d4", "bob", 4);
    await until("the next has come", () => second.mails.length > 2);
    await until("both are answered", () => ann.answers.length === 2);
    expect(second.mails.map(({ payload }) => payload)).toEqual([3, 4, 5]);
    expect(ann.answers).toEqual([
      ["d5", (numbers[3] ?? 0) + 1],
      ["d4", numbers[3]],
    ]);
  });

  it("[W5] P62 are not hidden by a number of another epoch", async () => {
    await write("epochs", 2);
    const bob = await RoomMember.welcomed("epochs", {
      member: "bob",
      resume: { epoch: "elsewhere", seq: 1 },
      mail: 99,
    });
    await until("both have come", () => bob.mails.length === 2);
    const alone = await RoomMember.welcomed("epochs", { member: "bob", mail: 99 });
    await until("both have come", () => alone.mails.length === 2);
  });

  it("[W5] P54 come 64 at a time", async () => {
    const numbers = await write("wild:many", 150);
    const bob = await RoomMember.welcomed("wild:many", { member: "bob" });
    await until("the first have come", () => bob.mails.length >= 64);
    bob.publish("1", "sync");
    await until("it is live", () => bob.payloads.length === 1);
    expect(bob.mails.length).toBe(64);
    bob.ack(1, numbers[9] ?? 0);
    await until("ten more come", () => bob.mails.length >= 74);
    bob.ack(1, numbers[73] ?? 0);
    await until("more come", () => bob.mails.length >= 138);
    bob.ack(1, numbers[137] ?? 0);
    await until("all have come", () => bob.mails.length >= 150);
    expect(bob.mails.map(({ payload }) => payload)).toEqual(upTo(1, 150));
  });

  it("[W5] [I5] P54 come few at a time when they are large, and never end the connection", async () => {
    const room = "wild:large";
    const numbers = await write(room, 15, (n) => String(n % 10).repeat(65_000));
    const bob = await RoomMember.welcomed(room, { member: "bob" });
    for (const number of numbers) {
      await until("it has come", () => bob.mails.at(-1)?.mail !== undefined && has(bob, number));
      const outstanding = bob.mails.filter(({ mail }) => mail >= number).length;
      expect(outstanding).toBeLessThanOrEqual(5);
      bob.ack(0, number);
    }
    expect(bob.mails.map(({ mail }) => mail)).toEqual(numbers);
    expect(bob.closed).toBeUndefined();
  });

  it("[W5] P70 are refused when too many wait, until some are taken", async () => {
    const numbers = await write("wild:full", 256);
    const ann = await RoomMember.welcomed("wild:full", { member: "ann" });
    ann.direct("more", "bob", "more");
    ann.direct("d1", "bob", 1);
    ann.direct("other", "eve", "not full");
    await until("all are answered", () => ann.answers.length === 3);
    const answers = new Map(ann.answers);
    expect(answers.get("more")).toBe("mailbox_full");
    // A repeated one is not another one.
    expect(answers.get("d1")).toBe(numbers[0]);
    expect(answers.get("other")).toBeTypeOf("number");
    const bob = await RoomMember.welcomed("wild:full", { member: "bob" });
    await until("some have come", () => bob.mails.length === 64);
    bob.ack(0, numbers[0] ?? 0);
    await until("one is taken", async () => (await stat("wild:full", "mailWaiting")) === 256);
    ann.direct("more", "bob", "more");
    await until("it is answered", () => ann.answers.length === 4);
    expect(ann.answers.at(-1)?.[1]).toBeTypeOf("number");
  });

  it("[W5] P53 ends a connection that acks a direct message it was not sent", async () => {
    const [number] = await write("overack", 1);
    const bob = await RoomMember.welcomed("overack", { member: "bob" });
    await until("it has come", () => bob.mails.length === 1);
    bob.ack(0, (number ?? 0) + 1);
    await until("it is closed", () => bob.closed !== undefined);
    expect([bob.closed, bob.errors]).toEqual([4400, ["bad_position"]]);
  });

  it("[W5] also brings what a member sends to itself", async () => {
    const ann = await RoomMember.welcomed("self", { member: "ann" });
    ann.direct("d1", "ann", "remember");
    await until("it has come", () => ann.mails.length === 1);
    expect(ann.mails[0]).toMatchObject({ sender: "ann", payload: "remember" });
  });
});

function has(member: RoomMember, number: number): boolean {
  return member.mails.some(({ mail }) => mail === number);
}
