/** Servers that say what no server should, or what only a newer one will: nobody is left in a loop. */
import { expect, test } from "vitest";
import { endOf } from "../../../src/client/chat/read-chunk.ts";
import { ASLEEP, fail, notice, start, step } from "../../../src/client/connection/machine.ts";
import { createClient, type LinkObserver, type TopicEvent } from "../../../src/client/index.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { FakeFetch } from "./fake-network.ts";

function open() {
  const clock = new FakeClock();
  const network = new FakeFetch();
  const client = createClient({
    url: "http://sluice.test",
    fetch: network.fetch,
    clock,
    random: () => 0.5,
  });
  return { clock, network, client };
}

const NO_NUMBER = '{"valueOf":1,"toString":1}';

test.each([
  ["topics", "id: p1\ndata: null\n\n"],
  ["topics", "id: p1\ndata: {\n\n"],
  ["topic", "id: p1\nevent: gap\ndata: {\n\n"],
  ["answer", "id: p1\ndata: {\n\n"],
  ["answer", `id: p1\ndata: {"choices":[{"delta":{"tool_calls":[{"index":${NO_NUMBER}}]}}]}\n\n`],
])("[S4][I6] of %s, what is none (%j) is not asked for again and again", async (of, event) => {
  const { clock, network, client } = open();
  const reading =
    of === "answer" ? client.resumeChat("gen_1") : client.topic(of === "topics" ? ["a", "b"] : "a");
  const read = reading[Symbol.asyncIterator]().next();
  const failed = expect(read).rejects.toMatchObject({ code: "bad_answer" });
  await settle();
  network.streams[0]?.write(event);
  await clock.advance(0);
  expect(reading.state.get()).toMatchObject({ kind: "closed", because: "bad_answer" });
  await failed;
  // Of an answer, the record is asked how it ended.
  if (of !== "answer") expect(clock.armed).toBe(0);
  client.close();
});

test.each([
  ["gap", "null"],
  ["gap", '"text"'],
  ["gap", "[1]"],
  ["gap", '{"kind":"message","topic":"x","position":"y"}'],
  ["end", "null"],
  ["end", "{}"],
])("[S4] a %s with the data %s is still one", async (kind, data) => {
  const { network, client } = open();
  const topic = client.topic("a");
  const read = topic[Symbol.asyncIterator]().next();
  await settle();
  network.streams[0]?.write(`id: p1\nevent: ${kind}\ndata: ${data}\n\n`);
  const { value } = await read;
  expect(value).toMatchObject({ kind, topic: "a", position: "p1" });
  client.close();
});

const cycle: { self?: unknown } = {};
cycle.self = cycle;

test.each([
  ["a bigint", { messages: [{ role: "user" as const, content: "hi" }], seed: 1n }, {}],
  ["a cycle", { messages: [{ role: "user" as const, content: "hi" }], metadata: cycle }, {}],
  ["a key that is no header", { messages: [] }, { idempotencyKey: "日本" }],
])(
  "[S4][L5] %s cannot be sent: it is refused at once and not tried again",
  async (_, request, options) => {
    const { clock, network, client } = open();
    const answer = client.chat(request, options);
    await clock.advance(0);
    expect(answer.state.get()).toMatchObject({ kind: "closed", because: "bad_request" });
    await expect(answer[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "bad_request",
    });
    expect([network.asked.length, clock.armed]).toEqual([0, 0]);
    client.close();
  },
);

test("[S4] a position that is no header is refused at once and not tried again", async () => {
  const { clock, network, client } = open();
  const topic = client.topic("a", { after: "日本" });
  const read = topic[Symbol.asyncIterator]().next();
  await expect(read).rejects.toMatchObject({ code: "bad_request" });
  expect([network.asked.length, clock.armed]).toEqual([0, 0]);
  client.close();
});

test("[L5] an error that is called like something every object has is an error", () => {
  const error = { code: "constructor", message: "no" };
  expect(endOf(error)).toEqual({ state: "failed", error });
});

test("[I7] closing ends a reader that is behind another", async () => {
  const { clock, network, client } = open();
  const topic = client.topic("a");
  const first = topic[Symbol.asyncIterator]();
  const second: unknown[] = [];
  const begun = first.next();
  topic.subscribe((item) => {
    if (item.kind === "message") second.push(item.data);
  });
  await settle();
  network.streams[0]?.write([1, 2, 3].map((n) => `id: p${n}\ndata: ${n}\n\n`).join(""));
  await clock.advance(0);
  expect([(await begun).value, second]).toMatchObject([{ data: 1 }, [1, 2, 3]]);
  topic.close();
  expect(await first.next()).toEqual({ done: true, value: undefined });
});

test("[B1][I5] positions alone fill the window of a reader that does not read, and no more", async () => {
  const { clock, network, client } = open();
  const topic = client.topic("a", { window: 4 });
  const iterator = topic[Symbol.asyncIterator]();
  const first = iterator.next();
  await settle();
  network.streams[0]?.write("id: p0\ndata: 0\n\n");
  await first;
  for (let n = 1; n <= 20; n += 1) {
    network.streams[0]?.write(`id: p${n}\n\n`);
    await clock.advance(0);
  }
  // Held up: the end of the stream is not seen.
  network.streams[0]?.end();
  await clock.advance(600_000);
  expect([topic.position, topic.state.get().kind]).toEqual([undefined, "catching-up"]);
  void iterator.next();
  await clock.advance(0);
  expect([topic.position, topic.state.get().kind]).toEqual(["p20", "waiting"]);
  client.close();
  await settle();
  expect(clock.armed).toBe(0);
});

test.each(["null", "{}"])(
  "[I6] an answer whose record is %s has an end, with a code",
  async (record) => {
    const { network, client } = open();
    network.answer(new Response(null, { status: 204 }));
    network.answer(new Response(record));
    const { state, error } = await client.resumeChat("gen_1").whole();
    expect([state, error?.code]).toEqual(["failed", "network"]);
    client.close();
  },
);

test("[S1] topics and answers show what is documented of them", async () => {
  const { client } = open();
  const shown = ["close", "position", "state", "subscribe"];
  expect(Object.keys(client.topic("a")).toSorted()).toEqual(
    [...shown, "publish", "topics"].toSorted(),
  );
  const answer = client.resumeChat("gen_1");
  expect(Object.keys(answer).toSorted()).toEqual(
    [...shown, "end", "id", "stop", "whole"].toSorted(),
  );
  client.close();
  await settle();
});

test("[S7][I6] what is none does not hurt who carries it, as another tab may, and nothing is read past it", async () => {
  const observers: LinkObserver<TopicEvent>[] = [];
  let isClosed = false;
  const client = createClient({
    url: "http://sluice.test",
    clock: new FakeClock(),
    transports: {
      topic: () => ({
        open: (_attempt, observer) => {
          observers.push(observer);
          return { send() {}, probe() {}, close: () => (isClosed = true) };
        },
      }),
    },
  });
  const topic = client.topic(["a", "b"]);
  const read = topic[Symbol.asyncIterator]().next();
  const failed = expect(read).rejects.toMatchObject({ code: "bad_answer" });
  await settle();
  observers[0]?.opened(false);
  observers[0]?.event({ id: "p1", data: "null" });
  await failed;
  expect([isClosed, topic.position, observers.length]).toEqual([true, undefined, 1]);
  client.close();
});

test("[S4] however long a server wants to be left alone, offline or not, a timer can wait for it", () => {
  const around = { now: 0, chance: 0.5 };
  const lost = fail({ code: "x", message: "", reconnect: "backoff", retryAfterMs: 1e15 });
  const { state } = step(
    step(step(ASLEEP, start, around), lost, around),
    notice("offline"),
    around,
  );
  // Beyond 31 bits a timer goes off at once.
  expect(state).toMatchObject({ kind: "waiting", until: 86_400_000 + 30_000 });
});
