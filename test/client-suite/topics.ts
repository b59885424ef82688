/** Owns the suite's cases about topics. */
import type { Topic, TopicItem } from "../../src/client/index.ts";
import { paced } from "../../src/client/index.ts";
import { until } from "../support/until.ts";
import { type Case, errorOf, expectSame, expectThat } from "./suite.ts";

/** Reads until there are so many messages. */
async function take(topic: Topic<{ n: number }>, count: number): Promise<number[]> {
  const seen: number[] = [];
  for await (const item of topic) {
    if (item.kind === "message") seen.push(item.data);
    if (seen.length === count) break;
  }
  return seen;
}

const numbers = (count: number, from = 0): number[] =>
  Array.from({ length: count }, (_, index) => from + index);

async function send(topic: Topic<{ n: number }>, values: readonly number[]): Promise<void> {
  for (const value of values) await topic.publish("n", value);
}

export const topicCases: readonly Case[] = [
  {
    title: "[S3] events arrive in order, and a reader that left goes on where it was",
    async run({ connect, name }) {
      const topic = connect().topic<{ n: number }>(name);
      await send(topic, numbers(6));
      expectSame(await take(topic, 4), [0, 1, 2, 3]);
      expectSame(topic.state.get().kind, "idle");
      expectSame(await take(topic, 2), [4, 5]);
      const later = connect().topic<{ n: number }>(name, { after: topic.position ?? "" });
      await send(later, [6]);
      expectSame(await take(later, 1), [6]);
      expectSame(await take(connect().topic(name, { from: 2 }), 2), [5, 6]);
    },
  },
  {
    title:
      "[S3][S4][W3] a reader whose network breaks again and again gets everything once, in order",
    async run({ connect, name, brokenUrl, cut }) {
      const reader = connect({ url: brokenUrl }).topic<{ n: number }>(name);
      const writer = connect().topic<{ n: number }>(name);
      const seen: TopicItem<{ n: number }>[] = [];
      reader.subscribe((item) => {
        seen.push(item);
      });
      for (let round = 0; round < 4; round += 1) {
        await send(writer, numbers(5, round * 5));
        await until("the reader to be connected", () => reader.state.get().kind === "live");
        await cut();
      }
      await until("everything to arrive", () => seen.length >= 20);
      expectSame(
        seen.map((item) => (item.kind === "message" ? item.data : item)),
        numbers(20),
      );
    },
  },
  {
    title: "[B1] a reader that takes its time gets everything, a little at a time",
    async run({ connect, name }) {
      const topic = connect().topic<{ n: number }>(name, { window: 4 });
      await Promise.all(
        numbers(8).map(async (block) => {
          for (const n of numbers(25)) await topic.publish("n", block * 100 + n);
        }),
      );
      const seen: number[] = [];
      for await (const item of topic) {
        if (item.kind === "message") seen.push(item.data);
        await Promise.resolve();
        if (seen.length === 200) break;
      }
      expectSame(new Set(seen).size, 200);
    },
  },
  {
    title: "[S5] the end of a topic is an item, and then reading ends, for who comes back, too",
    async run({ connect, name, url }) {
      const topic = connect().topic<{ n: number }>(name);
      await send(topic, [1]);
      const body = JSON.stringify({ outcome: "failed", data: { why: "test" } });
      await fetch(`${url}/v1/topics/${name}/close`, { method: "POST", body });
      const items: TopicItem<{ n: number }>[] = [];
      for await (const item of topic) items.push(item);
      expectSame(
        items.map((item) => (item.kind === "end" ? [item.outcome, item.data] : item.kind)),
        ["message", ["failed", { why: "test" }]],
      );
      const state = topic.state.get();
      expectSame(state.kind === "closed" && state.because, "ended");
      const late = connect().topic(name, { after: topic.position ?? "" });
      for await (const item of late)
        throw new Error(`Nothing should follow, but ${item.kind} did.`);
    },
  },
  {
    title: "[S7] several topics share one connection and one position",
    async run({ connect, name }) {
      const [a, b] = [`${name}-a`, `${name}-b`];
      const client = connect();
      const both = client.topic<{ n: number }>([a, b]);
      await client.topic<{ n: number }>(a).publish("n", 1);
      await client.topic<{ n: number }>(b).publish("n", 2);
      const seen: unknown[] = [];
      for await (const item of both) {
        if (item.kind === "message") seen.push([item.topic === a ? "a" : "b", item.data]);
        if (seen.length === 2) break;
      }
      expectSame(
        seen.toSorted((a, b) => String(a).localeCompare(String(b))),
        [
          ["a", 1],
          ["b", 2],
        ],
      );
      await client.topic<{ n: number }>(b).publish("n", 3);
      expectSame(await take(both, 1), [3]);
    },
  },
  {
    title: "[S4][I4] what is no longer kept is an item",
    async run({ connect, name, url }) {
      const body = JSON.stringify({ retention: { messages: 8, bytes: null, ageMs: null } });
      const made = await fetch(`${url}/v1/topics/${name}`, { method: "PUT", body });
      expectSame(made.status, 201);
      const topic = connect().topic<{ n: number }>(name);
      const { position } = await topic.publish("n", 0);
      // Rows of 50 events: what is kept is counted in whole rows.
      for (const block of numbers(4)) {
        const events = numbers(50, block * 50).map((data) => ({ event: "n", data }));
        await fetch(`${url}/v1/topics/${name}`, { method: "POST", body: JSON.stringify(events) });
      }
      const late = connect().topic<{ n: number }>(name, { after: position });
      const items: TopicItem<{ n: number }>[] = [];
      for await (const item of late) {
        items.push(item);
        if (item.kind === "message" && item.data === 199) break;
      }
      const [gap] = items;
      expectSame(gap?.kind === "gap" && gap.reason, "trimmed");
      expectThat(items.length <= 101, "less is told than was published");
    },
  },
  {
    title: "[L5] what the server refuses for good ends reading with its code",
    async run({ connect }) {
      const topic = connect().topic("not a name");
      const reading = (async () => {
        for await (const item of topic) throw new Error(`${item.kind} came`);
      })();
      expectSame((await errorOf(reading)).code, "bad_name");
      expectSame((await errorOf(topic.publish("n", 1))).code, "bad_name");
    },
  },
  {
    title: "[P4] paced callbacks get what came between two frames at once",
    async run({ connect, name }) {
      const topic = connect().topic<{ n: number }>(name);
      const frames: (() => void)[] = [];
      const batches: number[] = [];
      await send(topic, numbers(10));
      topic.subscribe(
        paced(
          (items) => {
            batches.push(items.length);
          },
          (run) => {
            frames.push(run);
          },
        ),
      );
      await until("a frame to be asked for", () => frames.length === 1);
      await until("all to have come", () => topic.state.get().kind === "live");
      frames[0]?.();
      expectSame(batches, [10]);
    },
  },
  {
    title: "[E1] data is checked by validators, and what does not pass is shown",
    async run({ connect, name }) {
      const untyped = connect().topic(name);
      await untyped.publish("n", 1);
      await untyped.publish("n", "one");
      await untyped.publish("other", 2);
      const topic = connect().topic<{ n: number }>(name, {
        schema: {
          n: {
            "~standard": {
              version: 1,
              vendor: "test",
              validate: async (value) =>
                await Promise.resolve(
                  typeof value === "number" ? { value } : { issues: [{ message: "no number" }] },
                ),
            },
          },
        },
      });
      const seen: unknown[] = [];
      for await (const item of topic) {
        if (item.kind === "message") seen.push(item.data);
        if (item.kind === "invalid") seen.push([item.event, item.data, item.issues[0]?.message]);
        if (seen.length === 3) break;
      }
      expectSame(seen, [
        1,
        ["n", "one", "no number"],
        ["other", 2, "No validator for this event."],
      ]);
    },
  },
  {
    title: "[I7] closing ends every reader at once",
    async run({ connect, name }) {
      const topic = connect().topic<{ n: number }>(name);
      const reading = (async () => {
        for await (const _ of topic);
        return "ended";
      })();
      await until("to be live", () => topic.state.get().kind === "live");
      topic.close();
      expectSame(await reading, "ended");
      expectSame(topic.state.get().kind, "closed");
    },
  },
];
