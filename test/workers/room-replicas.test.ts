/** A room whose readers are spread over replicas of its log (E3). */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { nameReplica } from "../../src/protocol/replica-name.ts";
import { call, post, postMany, read, RoomViewer, stat } from "../support/room-http.ts";
import { RoomMember } from "../support/room-member.ts";
import { until } from "../support/until.ts";

const READERS = 12;

const replicaOf = (room: string, number: number) =>
  env.ROOM_REPLICAS.getByName(nameReplica(room, number));

async function openAll(path: string, count = READERS): Promise<readonly RoomViewer[]> {
  return await Promise.all(Array.from({ length: count }, async () => await RoomViewer.open(path)));
}

/** Numbers from `from` to `to`, both included. */
const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function allHave(viewers: readonly RoomViewer[], wanted: readonly unknown[]): Promise<void> {
  await until(
    "all to have all",
    () => viewers.every(({ payloads }) => payloads.length >= wanted.length),
    () => viewers.map(({ payloads }) => payloads.length),
  );
  for (const { payloads } of viewers) expect(payloads).toEqual(wanted);
}

test("[E3][I3] every reader has every message once and in order, whichever replica it reads", async () => {
  await postMany("wide:all", 5);
  const early = await openAll("wide:all/events?history=3");
  await postMany("wide:all", 20, 6);
  await allHave(early, numbers(3, 25));
  const late = await openAll("wide:all/events?history=1000");
  await allHave(late, numbers(1, 25));
  const stats = await read("wide:all/stats");
  expect(stats).toMatchObject({ connections: 2 * READERS, live: 2 * READERS, lagging: 0 });
  // Twenty-four dice of three sides: each is thrown once in all but 1 of 5,000 runs, two of them in all runs.
  expect(stats["replicas"]).toBeGreaterThan(1);
  // The room itself serves nobody.
  const own = await runInDurableObject(
    env.ROOMS.getByName("wide:all"),
    (_room, ctx) => ctx.getWebSockets().length,
  );
  expect(own).toBe(0);
});

test("[E3][W1] members speak and listen as ever, and readers hear them", async () => {
  const ann = await RoomMember.welcomed("wide:talk", { member: "ann" });
  const viewers = await openAll("wide:talk/events");
  ann.publish("1", "hello");
  await allHave(viewers, ["hello"]);
  await until("ann hears herself", () => ann.payloads.length === 1);
  expect(await read("wide:talk/presence")).toMatchObject({ count: 1 });
  expect(await stat("wide:talk", "connections")).toBe(READERS + 1);
});

test("[E3][S4] a position of one replica counts at every other, also where none was read yet", async () => {
  const [first] = await openAll("wide:resume/events", 1);
  await postMany("wide:resume", 8);
  await until("the first to have all", () => first?.payloads.length === 8);
  const lastEventId = first?.events[2]?.id ?? "";
  await first?.close();
  const back = await Promise.all(
    numbers(1, READERS).map(
      async () => await RoomViewer.open("wide:resume/events", { "last-event-id": lastEventId }),
    ),
  );
  await postMany("wide:resume", 2, 9);
  await allHave(back, numbers(4, 10));
});

test("[E3][I1][I3] the room and its replicas sleep between messages, and nobody misses one", async () => {
  const viewers = await openAll("wide:sleep/events");
  for (let n = 1; n <= 6; n += 1) {
    await post("wide:sleep", { event: "tick", payload: n });
    if (n % 2 === 0) await evictDurableObject(env.ROOMS.getByName("wide:sleep"));
    await evictDurableObject(replicaOf("wide:sleep", n % 3));
  }
  await allHave(viewers, numbers(1, 6));
});

test("[E3][I1][I3] what a replica was not handed, it finds when it looks", async () => {
  const viewers = await openAll("wide:look/events");
  await post("wide:look", { event: "tick", payload: 1 });
  await allHave(viewers, [1]);
  // As after a room that was killed between storing a message and handing it on.
  const room = env.ROOMS.getByName("wide:look");
  await runInDurableObject(room, (_room, { storage }) => {
    storage.sql.exec("UPDATE log_meta SET value = '[]' WHERE name = 'settings.followers'");
  });
  await evictDurableObject(room);
  await post("wide:look", { event: "tick", payload: 2 });
  expect(viewers.some(({ payloads }) => payloads.length > 1)).toBe(false);
  for (let number = 0; number < 3; number += 1) {
    await runDurableObjectAlarm(replicaOf("wide:look", number));
  }
  await allHave(viewers, [1, 2]);
  await post("wide:look", { event: "tick", payload: 3 });
  await allHave(viewers, [1, 2, 3]);
});

test("[E3][I4] what the room keeps no longer, no replica has, and who lacks it is told", async () => {
  const room = "wideshort:gap";
  const viewers = await openAll(`${room}/events`);
  await postMany(room, 3);
  await allHave(viewers, [1, 2, 3]);
  const lastEventId = viewers[0]?.events[0]?.id ?? "";
  await postMany(room, 97, 4);
  await allHave(viewers, numbers(1, 100));
  const { messages } = (await read(`${room}/messages?limit=1000`)) as { messages: unknown[] };
  expect(messages.length).toBeLessThan(90);
  for (let number = 0; number < 2; number += 1) {
    const rows = await runInDurableObject(replicaOf(room, number), (_replica, { storage }) =>
      storage.sql.exec<{ count: number }>("SELECT sum(count) AS count FROM log_entries").one(),
    );
    // A row of the copy may reach over the room's oldest.
    expect(rows.count).toBeLessThan(messages.length + 5);
  }
  const back = await RoomViewer.open(`${room}/events`, { "last-event-id": lastEventId });
  await until("the newest", () => back.payloads.length > 1 && back.payloads.at(-1) === 100);
  expect(back.events[0]).toMatchObject({ event: "gap" });
  expect(back.data[0]).toMatchObject({ reason: "trimmed" });
});

test("[E3][I7] a replica that nobody reads is let go by its room, and leaves nothing", async () => {
  const viewers = await openAll("wide:gone/events");
  await post("wide:gone", { event: "tick", payload: 1 });
  await allHave(viewers, [1]);
  await Promise.all(viewers.map(async (viewer) => await viewer.close()));
  await until("all to be gone", async () => (await stat("wide:gone", "connections")) === 0);
  await post("wide:gone", { event: "tick", payload: 2 });
  await until("none to follow", async () => (await stat("wide:gone", "replicas")) === 0);
  for (let number = 0; number < 3; number += 1) {
    const replica = replicaOf("wide:gone", number);
    await runDurableObjectAlarm(replica);
    const tables = await runInDurableObject(replica, (_replica, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name LIKE 'log%'").toArray(),
    );
    expect(tables).toEqual([]);
  }
  const again = await openAll("wide:gone/events?history=10", 3);
  await allHave(again, [1, 2]);
});

test("[E3][B3] a reader that takes nothing costs its replica a cursor, and the others miss nothing", async () => {
  const stalled = await call("wide:slow/events");
  const viewers = await openAll("wide:slow/events", 4);
  const payload = "x".repeat(30_000);
  for (let n = 0; n < 60; n += 1) await post("wide:slow", { event: "tick", payload });
  await until("the others to have all", () =>
    viewers.every(({ payloads }) => payloads.length === 60),
  );
  expect(await stat("wide:slow", "lagging")).toBe(1);
  await stalled.body?.cancel();
});
