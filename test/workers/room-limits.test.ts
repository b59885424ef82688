import { describe, expect, it } from "vitest";
import { call, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

const UPGRADE = { upgrade: "websocket", "sec-websocket-protocol": "sluice.v1" };

describe("[W4] how much one may say", () => {
  it("[W4] P70 refuses what is too fast, says when it may be said, and stores nothing of it", async () => {
    const ann = await RoomMember.welcomed("calm:rate", { member: "ann" });
    const bob = await RoomMember.welcomed("calm:rate", { member: "bob" });
    for (let n = 1; n <= 12; n += 1) ann.publish(`a${n}`, n);
    await until("all are answered", () => ann.answers.length === 12);
    const refused = ann.of("error");
    expect(refused.length).toBeGreaterThan(0);
    for (const { id, code, retryAfterMs } of refused) {
      expect([id, code]).toEqual([expect.stringMatching(/^a/), "rate_limited"]);
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(1_000);
    }
    // Another member has a rate of its own.
    bob.publish("b1", "bob");
    await until("bob is heard", () => ann.payloads.includes("bob"));
    const missing = new Set(refused.map(({ id }) => id));
    const stored = Array.from({ length: 12 }, (_, n) => n + 1).filter((n) => !missing.has(`a${n}`));
    expect(stored.slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(ann.payloads).toEqual([...stored, "bob"]);
    expect(ann.closed).toBeUndefined();
  });

  it("[W4] counts direct messages and presence too", async () => {
    const ann = await RoomMember.welcomed("calm:all", { member: "ann" });
    for (let n = 0; n < 6; n += 1) {
      ann.direct(`d${n}`, "bob", n);
      ann.show(n);
    }
    const told = (): readonly (string | undefined)[] => ann.of("error").map(({ id }) => id);
    await until("some of both are refused", () => {
      return told().includes(undefined) && told().some((id) => id !== undefined);
    });
    expect(new Set(ann.errors)).toEqual(new Set(["rate_limited"]));
  });

  it("[W4] P81 closes with 4429 when it goes on", async () => {
    const ann = await RoomMember.welcomed("calm:flood", { member: "ann" });
    const bob = await RoomMember.welcomed("calm:flood", { member: "bob" });
    for (let n = 0; n < 500; n += 1) ann.publish(String(n), n);
    await until("it is closed", () => ann.closed !== undefined);
    expect(ann.closed).toBe(4429);
    await until("bob knows", () => bob.of("presenceDiff").some(({ gone }) => gone.length > 0));
    expect(await stat("calm:flood", "messages")).toBeLessThan(50);
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
