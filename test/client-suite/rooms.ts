/** Owns the suite's cases about rooms. */
import { memoryOutbox, type Room, type RoomItem } from "../../src/client/index.ts";
import { until } from "../support/until.ts";
import { type Case, errorOf, expectSame } from "./suite.ts";

type Events = { readonly chat: unknown };

/** Keeps what a room says from now on. */
function listen(room: Room<Events>): RoomItem<Events>[] {
  const items: RoomItem<Events>[] = [];
  room.subscribe((item) => {
    items.push(item);
  });
  return items;
}

const payloads = (items: readonly RoomItem<Events>[]): unknown[] =>
  items.map((item) => ("payload" in item ? item.payload : item));

export const roomCases: readonly Case[] = [
  {
    title: "[W1][W6] members hear each other and themselves, whisper, and see who is here",
    async run({ connect, name }) {
      const client = connect();
      const ann = client.room<Events>(name, { member: "ann", presence: { typing: false } });
      const bob = client.room<Events>(name, { member: "bob" });
      await Promise.all([ann.join(), bob.join()]);
      const [heard, said] = [listen(bob), listen(ann)];
      const { seq } = await ann.publish("chat", "hello");
      await ann.direct("bob", "chat", "psst");
      expectSame(seq, 1);
      await until("bob to hear", () => heard.length === 2 && said.length === 1);
      expectSame(
        heard.map((item) => [item.kind, "payload" in item && [item.sender, item.payload]]),
        [
          ["message", ["ann", "hello"]],
          ["direct", ["ann", "psst"]],
        ],
      );
      ann.show({ typing: true });
      await until("bob to see it", () =>
        bob.presence.get().members.some(({ state }) => JSON.stringify(state) === '{"typing":true}'),
      );
      expectSame((await bob.history()).messages.length, 1);
      ann.leave();
      await until("ann to be gone", () => bob.presence.get().count === 1);
      expectSame((await errorOf(ann.publish("chat", "too late"))).code, "left");
    },
  },
  {
    title: "[P3][W1] every kind of value arrives as it was sent",
    async run({ connect, name }) {
      const values = [
        null,
        -1.5,
        "h\u00e9llo \u{1f600}",
        new Uint8Array([0, 193, 255]),
        2n ** 64n - 1n,
        { list: [[], {}], text: "" },
      ];
      const room = connect().room<Events>(name, { member: "ann" });
      const items = listen(room);
      for (const value of values) await room.publish("chat", value);
      await until("all to arrive", () => items.length === values.length);
      expectSame(payloads(items), values);
    },
  },
  {
    title: "[W3][P33] members whose network breaks again and again miss and repeat nothing",
    async run({ connect, name, brokenUrl, cut }) {
      const ann = connect({ url: brokenUrl }).room<Events>(name, { member: "ann" });
      const bob = connect().room<Events>(name, { member: "bob" });
      await Promise.all([ann.join(), bob.join()]);
      const [annHeard, bobHeard] = [listen(ann), listen(bob)];
      for (let round = 0; round < 4; round += 1) {
        const sent = [0, 1, 2, 3, 4].flatMap((n) => [
          ann.publish("chat", `${round}.${n} ann`),
          bob.publish("chat", `${round}.${n} bob`),
        ]);
        await cut();
        await Promise.all(sent);
        await ann.join();
      }
      await until("all to arrive", () => annHeard.length >= 40 && bobHeard.length >= 40);
      expectSame(annHeard, bobHeard);
      const said = payloads(bobHeard).map(String);
      expectSame(new Set(said).size, 40);
      const own = said.filter((text) => text.endsWith("ann"));
      expectSame(own, own.toSorted());
    },
  },
  {
    title: "[W5] what waited when the page went is sent by the next one, once and in order",
    async run({ connect, name, url }) {
      const storage = memoryOutbox();
      const nowhere = url.replace(/:\d+$/, ":1");
      const box = { outbox: { storage }, member: "ann" };
      // The address is part of what names a queue, so the first page is cut off by its transport.
      const offline = connect({
        WebSocket: Unreachable,
        fetch: () => Promise.reject(new Error(nowhere)),
      });
      const before = offline.room<Events>(name, box);
      const lost = [1, 2, 3].map((n) => before.publish("chat", n));
      await until("three to wait", () => before.outbox.size.get() === 3);
      offline.close();
      expectSame((await errorOf(Promise.all(lost))).message, "The application closed it.");
      const after = connect().room<Events>(name, box);
      const items = listen(after);
      await after.publish("chat", 4);
      await after.outbox.drained();
      await until("all to arrive", () => items.length === 4);
      expectSame(payloads(items), [1, 2, 3, 4]);
      const third = connect().room<Events>(name, box);
      await third.join();
      await third.outbox.drained();
      expectSame((await third.history()).messages.length, 4);
    },
  },
  {
    title: "[W5] an outbox is bounded: it refuses the newest, or gives up the oldest, and says so",
    async run({ connect, name }) {
      const client = connect({
        WebSocket: Unreachable,
        fetch: () => Promise.reject(new Error("down")),
      });
      const strict = client.room<Events>(name, { outbox: { maxMessages: 2 } });
      const kept = [strict.publish("chat", 1), strict.publish("chat", 2)];
      expectSame((await errorOf(strict.publish("chat", 3))).code, "outbox_full");
      expectSame([strict.outbox.size.get(), kept.length], [2, 2]);
      const lenient = client.room<Events>(name, {
        outbox: { maxBytes: 40, overflow: "drop-oldest" },
      });
      const refused: number[] = [];
      lenient.outbox.onRefused(({ order }) => refused.push(order));
      const oldest = lenient.publish("chat", "x".repeat(20));
      void lenient.publish("chat", "y".repeat(20));
      expectSame((await errorOf(oldest)).code, "outbox_full");
      expectSame([lenient.outbox.size.get(), refused.length], [1, 1]);
    },
  },
  {
    title: "[B1][P51] credit is granted as the application consumes: a slow one gets everything",
    async run({ connect, name }) {
      const bob = connect().room<Events>(name, { credit: { messages: 4, bytes: 1024 } });
      await bob.join();
      const ann = connect().room<Events>(name, { member: "ann" });
      const sent = Array.from({ length: 60 }, (_, n) => n);
      const published = Promise.all(sent.map((n) => ann.publish("chat", n)));
      const seen: unknown[] = [];
      for await (const item of bob) {
        seen.push("payload" in item ? item.payload : item.kind);
        await Promise.resolve();
        if (seen.length === sent.length) break;
      }
      await published;
      expectSame(seen, sent);
    },
  },
  {
    title: "[B1] while nobody reads, memory is bounded, and what was let go is said",
    async run({ connect, name }) {
      const bob = connect().room<Events>(name, { credit: { messages: 8, bytes: 65_536 } });
      await bob.join();
      const ann = connect().room<Events>(name, { member: "ann" });
      await Promise.all(Array.from({ length: 40 }, (_, n) => ann.publish("chat", n)));
      await until("bob to have it", () => bob.position?.endsWith("36") === true);
      const items = listen(bob);
      await until("the rest to be read", () => items.length === 5);
      const [gap, first] = items;
      expectSame(gap?.kind === "gap" && gap.reason, "unread");
      expectSame(first?.kind === "message" && first.payload, 36);
    },
  },
  {
    title: "[P34] a burst beyond the room's rate is stored whole",
    async run({ connect, name }) {
      const room = connect().room<Events>(`slow:${name}`, { member: "ann" });
      const sent = Array.from({ length: 230 }, (_, n) => n);
      await Promise.all(sent.map((n) => room.publish("chat", n)));
      const { messages } = await room.history({ limit: 1000 });
      expectSame(
        messages.map(({ payload }) => Number(payload)).toSorted((a, b) => a - b),
        sent,
      );
    },
  },
  {
    title: "[W5][P60][P61] mail to who is away waits, and is given once",
    async run({ connect, name }) {
      const ann = connect().room<Events>(name, { member: "ann" });
      for (const n of [1, 2]) await ann.direct("bob", "chat", n);
      const client = connect();
      const bob = client.room<Events>(name, { member: "bob" });
      const items = listen(bob);
      await until("the mail to come", () => items.length === 2);
      expectSame([payloads(items), bob.mail], [[1, 2], 2]);
      client.close();
      const again = connect().room<Events>(name, { member: "bob" });
      const later = listen(again);
      await again.join();
      await ann.direct("bob", "chat", 3);
      await until("the third to come", () => later.length > 0);
      expectSame(payloads(later), [3]);
    },
  },
  {
    title: "[W4] what the room refuses is rejected with its code, and harms nothing else",
    async run({ connect, name }) {
      const room = connect().room<{ chat: unknown; "not ok": unknown }>(name, { member: "ann" });
      const bad = room.publish("not ok", 1);
      const large = room.publish("chat", "x".repeat(70_000));
      const good = room.publish("chat", 1);
      expectSame((await errorOf(bad)).code, "bad_name");
      expectSame((await errorOf(large)).code, "message_too_large");
      expectSame((await good).seq, 1);
      expectSame((await errorOf(room.publish("chat", new Date(0)))).code, "bad_payload");
      expectSame((await errorOf(room.publish("chat", 1, { id: "not ok" }))).code, "bad_name");
    },
  },
];

/** What the client uses of a WebSocket; it never connects. */
class UnreachableSocket extends EventTarget {
  binaryType = "arraybuffer";

  constructor() {
    super();
    queueMicrotask(() => {
      this.dispatchEvent(Object.assign(new Event("close"), { code: 1006 }));
    });
  }

  close(): void {}

  send(): void {}
}

const Unreachable = UnreachableSocket as unknown as typeof WebSocket;
