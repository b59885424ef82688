import { describe, expect, it } from "vitest";
import { encodeClientFrame } from "../../src/protocol/encode-client-frame.ts";
import { RoomMember } from "../support/room-member.ts";
import { call } from "../support/room-http.ts";
import { until } from "../support/until.ts";

const UPGRADE = { upgrade: "websocket", "sec-websocket-protocol": "sluice.v1" };

describe("[W1] coming to a room", () => {
  it("[W1] P1 chooses the subprotocol among others that are offered", async () => {
    const response = await call("doors", {
      headers: { ...UPGRADE, "sec-websocket-protocol": "other, sluice.v1" },
    });
    expect(response.status).toBe(101);
    expect(response.headers.get("sec-websocket-protocol")).toBe("sluice.v1");
    response.webSocket?.accept();
    response.webSocket?.close();
  });

  it.each([
    ["a plain request", {}],
    ["an upgrade without subprotocol", { upgrade: "websocket" }],
    ["another subprotocol", { ...UPGRADE, "sec-websocket-protocol": "sluice.v2" }],
  ])("[W1] P1 answers %s with a problem that says what is missing", async (_, headers) => {
    const response = await call("doors", { headers });
    expect(response.status).toBe(426);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ code: "upgrade_required", status: 426 });
  });

  it.each(["-x", ".x", "a%20b", "a%2Fb", "%C3%A9", "x".repeat(129)])(
    "[W4] P14 refuses the name %s on every door",
    async (name) => {
      for (const door of ["", "/messages", "/presence", "/stats", "/events"]) {
        const response = await call(`${name}${door}`, { headers: UPGRADE });
        expect(response.status).toBe(400);
        expect(await response.json()).toMatchObject({ code: "bad_name" });
      }
    },
  );

  it("[W1] P26 says in the welcome who one is, where the log stands and what is allowed", async () => {
    const ann = await RoomMember.welcomed("welcome", { member: "ann" });
    expect(ann.frames[0]).toBe(ann.welcome);
    expect(ann.welcome).toMatchObject({
      member: "ann",
      head: 0,
      heartbeat: 25_000,
      credit: { messages: 256, bytes: 1_048_576 },
      limits: { message: 65_536, frame: 131_072, state: 1_024 },
      presence: { count: 1, complete: true, members: [{ member: "ann", state: null }] },
    });
    expect(ann.welcome.epoch).toMatch(/^[A-Za-z0-9-]{1,64}$/);
    ann.publish("1", "x");
    await until("it is delivered", () => ann.payloads.length === 1);
    const bob = await RoomMember.welcomed("welcome", { member: "bob" });
    expect(bob.welcome).toMatchObject({ head: 1, epoch: ann.welcome.epoch });
    expect(bob.welcome.connection).not.toBe(ann.welcome.connection);
  });

  it("[W1] P22 names a member that brings no name", async () => {
    const one = await RoomMember.welcomed("nameless");
    const two = await RoomMember.welcomed("nameless");
    expect(one.welcome.member).not.toBe("");
    expect(two.welcome.member).not.toBe(one.welcome.member);
  });

  it("[B1] P24 cuts wishes for credit down", async () => {
    const credit = { messages: 1_000_000, bytes: 1_000_000_000 };
    const ann = await RoomMember.welcomed("greedy", { credit });
    expect(ann.welcome.credit).toEqual({ messages: 4_096, bytes: 4_194_304 });
  });

  it("[W4] P20 ends a connection that speaks before its hello, and one that says it twice", async () => {
    const early = await RoomMember.connect("rude");
    early.publish("1", null);
    await until("it is closed", () => early.closed !== undefined);
    expect([early.closed, early.errors]).toEqual([4400, ["unexpected_frame"]]);
    const twice = await RoomMember.welcomed("rude");
    twice.hello();
    await until("it is closed", () => twice.closed !== undefined);
    expect([twice.closed, twice.errors]).toEqual([4400, ["unexpected_frame"]]);
  });

  it("[W4] does not let callers choose their door or name by headers", async () => {
    const response = await call("forged", {
      headers: {
        ...UPGRADE,
        "sluice-door": "viewer",
        "sluice-start": "start",
        "sluice-member": "root",
      },
    });
    if (response.webSocket === null) throw new Error("no socket");
    const ann = new RoomMember(response.webSocket);
    ann.hello({ member: "ann" });
    ann.publish("1", "hi");
    await until("it is delivered", () => ann.payloads.length === 1);
    expect(ann.welcome.member).toBe("ann");
  });

  it("[W1] limits the connections of one member", async () => {
    const members = await Promise.all(
      Array.from({ length: 32 }, () => RoomMember.welcomed("tabs", { member: "ann" })),
    );
    const late = await RoomMember.join("tabs", { member: "ann" });
    await until("it is closed", () => late.closed !== undefined);
    expect([late.closed, late.errors]).toEqual([4503, ["room_overloaded"]]);
    await members[0]?.close();
    await RoomMember.welcomed("tabs", { member: "ann" });
  });
});

describe("[W1] speaking in a room", () => {
  it("[W1] P32 P42 confirms a message and brings it to everyone, its sender too", async () => {
    const ann = await RoomMember.welcomed("talk", { member: "ann" });
    const bob = await RoomMember.welcomed("talk", { member: "bob" });
    ann.publish("a1", { text: "héllo" }, "chat");
    await until("both have it", () => ann.messages.length + bob.messages.length === 2);
    await until("it is confirmed", () => ann.answers.length === 1);
    expect(ann.answers).toEqual([["a1", 1]]);
    expect(bob.answers).toEqual([]);
    expect(bob.messages).toEqual(ann.messages);
    expect(bob.messages[0]).toMatchObject({
      seq: 1,
      sender: "ann",
      event: "chat",
      payload: { text: "héllo" },
      id: "a1",
    });
    expect(Math.abs((bob.messages[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it("[I3] P34 P41 keeps the order of each sender and shows one order to all", async () => {
    const members = await Promise.all(
      ["a", "b", "c"].map((member) => RoomMember.welcomed("wild:order", { member })),
    );
    for (let n = 0; n < 50; n += 1) {
      for (const [index, member] of members.entries()) member.publish(`${index}-${n}`, [index, n]);
    }
    await until("all have all", () => members.every(({ seqs }) => seqs.length === 150));
    const [first] = members;
    expect(first?.seqs).toEqual(Array.from({ length: 150 }, (_, index) => index + 1));
    for (const member of members) expect(member.payloads).toEqual(first?.payloads);
    for (const index of members.keys()) {
      const own = first?.payloads.filter((payload) => (payload as number[])[0] === index);
      expect(own).toEqual(Array.from({ length: 50 }, (_, n) => [index, n]));
    }
  });

  it("[W4] P30 P31 refuses a message with its id, stores nothing and goes on", async () => {
    const ann = await RoomMember.welcomed("refusals", { member: "ann" });
    ann.publish("big", "x".repeat(65_536));
    ann.publish("name", 1, "not ok");
    ann.publish("fine", 2);
    await until("all are answered", () => ann.answers.length === 3);
    expect(ann.answers).toEqual([
      ["big", "message_too_large"],
      ["name", "bad_name"],
      ["fine", 1],
    ]);
    expect(ann.closed).toBeUndefined();
  });

  it("[W4] P4 closes a connection that sends too large a frame", async () => {
    const ann = await RoomMember.welcomed("huge", { member: "ann" });
    const bob = await RoomMember.welcomed("huge", { member: "bob" });
    ann.publish("big", "x".repeat(140_000));
    await until("it is closed", () => ann.closed !== undefined);
    expect([ann.closed, ann.errors]).toEqual([1009, ["frame_too_large"]]);
    bob.publish("1", 1);
    await until("others go on", () => bob.payloads.length === 1);
  });

  it("[W1] P60 brings a direct message to one member only, on all connections", async () => {
    const ann = await RoomMember.welcomed("whisper", { member: "ann" });
    const desk = await RoomMember.welcomed("whisper", { member: "bob" });
    const phone = await RoomMember.welcomed("whisper", { member: "bob" });
    const eve = await RoomMember.welcomed("whisper", { member: "eve" });
    ann.direct("d1", "bob", "psst");
    await until("both have it", () => desk.mails.length + phone.mails.length === 2);
    await until("it is answered", () => ann.answers.length === 1);
    const [mail] = desk.mails;
    expect(mail).toMatchObject({ sender: "ann", event: "whisper", payload: "psst", id: "d1" });
    expect(phone.mails).toEqual(desk.mails);
    expect(ann.answers).toEqual([["d1", mail?.mail]]);
    ann.publish("a1", "aloud");
    await until("eve hears what is for all", () => eve.payloads.length === 1);
    expect([eve.mails, ann.mails, eve.payloads]).toEqual([[], [], ["aloud"]]);
  });

  it("[W1] P80 closes with 1000 for who leaves, and takes nothing more from them", async () => {
    const ann = await RoomMember.welcomed("exit", { member: "ann" });
    const bob = await RoomMember.welcomed("exit", { member: "bob" });
    ann.leave();
    ann.publish("late", 1);
    await until("it is closed", () => ann.closed !== undefined);
    expect(ann.closed).toBe(1000);
    bob.publish("1", "still here");
    await until("bob has his", () => bob.payloads.length === 1);
    expect(bob.payloads).toEqual(["still here"]);
  });

  it("[W2] answers a heartbeat before a hello and after it", async () => {
    const ann = await RoomMember.connect("beats");
    await ann.beat();
    ann.hello();
    await ann.beat();
    expect(ann.pongs).toEqual(["pong", "pong"]);
    ann.send(encodeClientFrame({ kind: "leave" }));
    await until("it is closed", () => ann.closed !== undefined);
  });

  it("[W4] P3 ends a connection that sends any other text", async () => {
    const ann = await RoomMember.welcomed("text");
    ann.send("PING");
    await until("it is closed", () => ann.closed !== undefined);
    expect([ann.closed, ann.errors]).toEqual([4400, ["bad_frame"]]);
  });
});
