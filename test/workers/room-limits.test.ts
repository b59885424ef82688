import { describe, expect, it } from "vitest";
import { call, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

const UPGRADE = { upgrade: "websocket", "sec-websocket-protocol": "sluice.v1" };

describe("[W4] how much one may say", () => {
  it("[W4] P70 refuses what is too fast, says when it may be said, and stores nothing of it", async () => {
    const ann = await RoomMember.welcomed("calm:rate", { member: "ann" });
    const bob = await RoomMember.welcomed("calm:rate", { member: "bob" });
    for (let n = 1; n <= 6; n += 1) ann.publish(`a${n}`, n);
    await until("all are answered", () => ann.answers.length === 6);
    expect(ann.answers.slice(-2)).toEqual(
      expect.arrayContaining([
        ["a5", expect.anything()],
        ["a6", expect.anything()],
      ]),
    );
    const refused = ann.of("error");
    expect(refused.map(({ id, code }) => [id, code])).toEqual([
      ["a5", "rate_limited"],
      ["a6", "rate_limited"],
    ]);
    for (const { retryAfterMs } of refused) {
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(1_000);
    }
    // Another member has a rate of its own.
    bob.publish("b1", "bob");
    await until("bob is heard", () => ann.payloads.includes("bob"));
    expect(ann.payloads).toEqual([1, 2, 3, 4, "bob"]);
    expect(ann.closed).toBeUndefined();
  });

  it("[W4] counts direct messages and presence too", async () => {
    const ann = await RoomMember.welcomed("calm:all", { member: "ann" });
    ann.direct("d1", "bob", 1);
    ann.show(1);
    ann.direct("d2", "bob", 2);
    ann.publish("p1", 3);
    ann.show(2);
    ann.direct("d3", "bob", 4);
    await until("two are refused", () => ann.errors.length === 2);
    expect(ann.of("error").map(({ id, code }) => [id, code])).toEqual([
      [undefined, "rate_limited"],
      ["d3", "rate_limited"],
    ]);
  });

  it("[W4] P81 closes with 4429 when it goes on", async () => {
    const ann = await RoomMember.welcomed("calm:flood", { member: "ann" });
    const bob = await RoomMember.welcomed("calm:flood", { member: "bob" });
    for (let n = 0; n < 80; n += 1) ann.publish(String(n), n);
    await until("it is closed", () => ann.closed !== undefined);
    expect(ann.closed).toBe(4429);
    await until("bob knows", () => bob.of("presenceDiff").some(({ gone }) => gone.length > 0));
    expect(await stat("calm:flood", "messages")).toBe(4);
  });

  it("[W4] counts bytes as well as messages", async () => {
    const credit = { messages: 4_096, bytes: 4_194_304 };
    const ann = await RoomMember.welcomed("bytes", { member: "ann", credit });
    for (let n = 0; n < 45; n += 1) ann.publish(String(n), "x".repeat(60_000));
    await until("all are answered", () => ann.answers.length === 45);
    expect(ann.errors.length).toBeGreaterThan(0);
    expect(new Set(ann.errors)).toEqual(new Set(["rate_limited"]));
    expect(await stat("bytes", "messages")).toBe(45 - ann.errors.length);
  });
});

describe("[W3] when everybody comes back at once", () => {
  it.each(["", "/events"])("[W3] lets in few at a time on the door %j", async (door) => {
    const room = `narrow:door${door === "" ? "" : "-events"}`;
    for (let n = 0; n < 4; n += 1) await RoomMember.welcomed(room);
    const response = await call(`${room}${door}`, { headers: door === "" ? UPGRADE : {} });
    expect(response.status).toBe(503);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ code: "room_overloaded", status: 503 });
    const wait = response.headers.get("retry-after");
    expect(wait).toMatch(/^[0-9]+$/);
    expect(Number(wait)).toBeGreaterThanOrEqual(1);
    expect(Number(wait)).toBeLessThanOrEqual(7);
    expect(response.headers.get("x-should-retry")).toBe("true");
  });

  it("[W3] holds no more than it may, until somebody goes", async () => {
    const ann = await RoomMember.welcomed("small:room");
    await RoomMember.welcomed("small:room");
    const response = await call("small:room", { headers: UPGRADE });
    expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([
      503,
      "room_overloaded",
    ]);
    await ann.close();
    await until("it is gone", async () => (await stat("small:room", "connections")) === 1);
    await RoomMember.welcomed("small:room");
  });
});
