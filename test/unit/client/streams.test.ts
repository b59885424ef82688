/** Topics and answers over a network that a test holds in its hand. */
import { expect, test } from "vitest";
import { createClient } from "../../../src/client/index.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { FakeFetch } from "./fake-network.ts";

function open(options: { readonly token?: () => string } = {}) {
  const clock = new FakeClock();
  const network = new FakeFetch();
  const client = createClient({
    url: "http://sluice.test/",
    fetch: network.fetch,
    clock,
    random: () => 0.5,
    ...options,
  });
  return { clock, network, client };
}

const problem = (status: number, code: string, headers: Record<string, string> = {}): Response =>
  Response.json({ code, detail: "because" }, { status, headers });

test("[S4][W2] a stream that falls silent is given up and taken up where it was", async () => {
  const { clock, network, client } = open();
  const topic = client.topic<{ n: number }>("t");
  const seen: unknown[] = [];
  topic.subscribe((item) => {
    seen.push(item.kind === "message" ? item.data : item.kind);
  });
  await settle();
  expect(network.asked[0]?.url).toBe("http://sluice.test/v1/topics/t?from=start&format=sse");
  network.streams[0]?.write("retry: 1500\n: open\n\nid: p1\nevent: n\ndata: 1\n\n");
  await clock.advance(60);
  expect([seen, topic.state.get().kind, topic.position]).toEqual([[1], "live", "p1"]);
  await clock.advance(20_000);
  network.streams[0]?.write(": keepalive\n\n");
  await clock.advance(40_000);
  expect(topic.state.get().kind).toBe("live");
  await clock.advance(5_000);
  // What the server asks (1.5 s), and half of the first second at random.
  expect(topic.state.get()).toEqual({
    kind: "waiting",
    because: "silent",
    until: clock.now() + 2_000,
  });
  expect(network.streams[0]?.isGone).toBe(true);
  await clock.advance(2_000);
  expect(network.asked[1]?.headers.get("last-event-id")).toBe("p1");
  client.close();
  await settle();
  expect([network.streams[1]?.isGone, clock.armed]).toEqual([true, 0]);
});

test("[S4] an event cut in the middle is read again, whole", async () => {
  const { clock, network, client } = open();
  const topic = client.topic("t");
  const seen: unknown[] = [];
  topic.subscribe((item) => {
    seen.push(item.kind === "message" ? item.data : item.kind);
  });
  await settle();
  network.streams[0]?.write('id: p1\nevent: n\ndata: "one"\n\nid: p2\nevent: n\ndata: "tw');
  network.streams[0]?.end();
  await clock.advanceUntil(() => network.asked.length === 2);
  expect(network.asked[1]?.headers.get("last-event-id")).toBe("p1");
  network.streams[1]?.write('id: p2\nevent: n\ndata: "two"\n\n');
  await clock.advance(0);
  expect(seen).toEqual(["one", "two"]);
  client.close();
});

test("[B1][I5] not more is read than the window, and waiting for the application is no silence", async () => {
  const { clock, network, client } = open();
  const topic = client.topic<{ n: number }>("t", { window: 2 });
  const iterator = topic[Symbol.asyncIterator]();
  const first = iterator.next();
  await settle();
  const events = (from: number): string =>
    [0, 1, 2].map((n) => `id: p${from + n}\nevent: n\ndata: ${from + n}\n\n`).join("");
  const [stream] = network.streams;
  stream?.write(events(1));
  stream?.write(events(4));
  expect((await first).value).toMatchObject({ data: 1 });
  // A stream that its reader holds up is silent for a reason.
  await clock.advance(600_000);
  expect(topic.state.get().kind).not.toBe("waiting");
  const rest: unknown[] = [];
  for (let n = 2; n <= 6; n += 1) rest.push((await iterator.next()).value);
  expect(rest).toMatchObject([2, 3, 4, 5, 6].map((data) => ({ data })));
  client.close();
});

test("[B1][I5] what nobody has begun with when the connection breaks is read again, and told once", async () => {
  const { clock, network, client } = open();
  const topic = client.topic<{ n: number }>("t");
  const iterator = topic[Symbol.asyncIterator]();
  const first = iterator.next();
  await settle();
  const events = [1, 2, 3].map((n) => `id: p${n}\nevent: n\ndata: ${n}\n\n`);
  network.streams[0]?.write(events.join(""));
  network.streams[0]?.end();
  expect((await first).value).toMatchObject({ data: 1 });
  await clock.advanceUntil(() => network.asked.length === 2);
  expect(network.asked[1]?.headers.get("last-event-id")).toBe("p1");
  network.streams[1]?.write(events.slice(1).join(""));
  expect((await iterator.next()).value).toMatchObject({ data: 2 });
  expect((await iterator.next()).value).toMatchObject({ data: 3 });
  client.close();
});

test("[E2] a refused token is asked for anew, once, and the request repeated at once", async () => {
  let given = 0;
  const { network, client } = open({
    token: () => {
      given += 1;
      return `token-${given}`;
    },
  });
  network.answer(problem(401, "token_expired"));
  const topic = client.topic("t");
  topic.subscribe(() => {});
  await settle();
  expect(network.asked.map(({ headers }) => headers.get("authorization"))).toEqual([
    "Bearer token-1",
    "Bearer token-2",
  ]);
  topic.close();
  network.answer(problem(401, "unauthorized"));
  network.answer(problem(401, "unauthorized"));
  const other = client.topic("u");
  other.subscribe(() => {});
  await settle();
  expect(other.state.get()).toEqual({
    kind: "closed",
    because: "unauthorized",
    message: "because",
  });
});

test.each([
  ["a topic", 'event: error\ndata: {"code":"token_expired","message":"m"}\n\n'],
  ["an answer", 'data: {"error":{"code":"token_expired","message":"m"}}\n\n'],
])("[E2] a stream of %s that ends with its token goes on at once with another", async (of, end) => {
  let calls = 0;
  const { clock, network, client } = open({ token: () => `token-${(calls += 1)}` });
  const reading = of === "a topic" ? client.topic("t") : client.resumeChat("gen_1");
  const states: string[] = [];
  reading.state.onChange(() => states.push(reading.state.get().kind));
  const iterator = reading[Symbol.asyncIterator]();
  void iterator.next();
  await settle();
  network.streams[0]?.write(end);
  network.streams[0]?.end();
  await clock.advance(0);
  expect(network.asked.map(({ headers }) => headers.get("authorization"))).toEqual([
    "Bearer token-1",
    "Bearer token-2",
  ]);
  expect(states).not.toContain("waiting");
  client.close();
});

test("[L4] an answer of which nothing came before the server's restart is interrupted, not failed", async () => {
  const { network, client } = open();
  network.answer(problem(503, "generation_interrupted", { "x-should-retry": "false" }));
  const answer = client.chat({ messages: [{ role: "user", content: "?" }] });
  expect((await answer.whole()).state).toBe("interrupted");
  client.close();
});

test("[S4] statuses decide: come back when asked to, or never", async () => {
  const cases = [
    [problem(503, "room_overloaded", { "retry-after": "7" }), "waiting", 7_500],
    [problem(429, "rate_limited"), "waiting", 500],
    [new Error("offline"), "waiting", 500],
    [problem(503, "not_configured", { "x-should-retry": "false" }), "closed", "not_configured"],
    [problem(403, "not_allowed"), "closed", "not_allowed"],
    [new Response("<html>", { status: 200 }), "closed", "bad_answer"],
    [new Response(null, { status: 204 }), "closed", "ended"],
    [new Response("<html>", { status: 502 }), "waiting", 500],
  ] as const;
  for (const [answer, kind, detail] of cases) {
    const { clock, network, client } = open();
    network.answer(answer);
    const topic = client.topic("t");
    topic.subscribe(() => {});
    await settle();
    const state = topic.state.get();
    expect(state.kind).toBe(kind);
    if (state.kind === "waiting") expect(state.until - clock.now()).toBe(detail);
    if (state.kind === "closed") expect(state.because).toBe(detail);
    client.close();
    expect(clock.armed).toBe(0);
  }
});

test("[L4][L3] a question whose answer never began is asked again under the same key", async () => {
  const { clock, network, client } = open();
  network.answer(new Error("offline"));
  const answer = client.chat(
    { messages: [{ role: "user", content: "?" }] },
    { idempotencyKey: "k" },
  );
  await clock.advanceUntil(() => network.asked.length === 2);
  expect(network.asked.map(({ headers }) => headers.get("idempotency-key"))).toEqual(["k", "k"]);
  expect(network.asked[1]?.body).toMatchObject({ stream: true, store: true });
  const chunk = (text: string): string =>
    JSON.stringify({ choices: [{ index: 0, delta: { content: text } }] });
  network.streams[0]?.write(`id: p1\ndata: ${chunk("Hel")}\n\nid: p2\ndata: ${chunk("lo")}\n\n`);
  network.streams[0]?.write('id: p3\ndata: {"choices":[],"usage":{"total_tokens":2}}\n\n');
  network.streams[0]?.write("id: p4\ndata: [DONE]\n\n");
  const whole = await answer.whole();
  expect([whole.text, whole.state, whole.usage?.total_tokens]).toEqual(["Hello", "completed", 2]);
  expect(clock.armed).toBe(0);
});

test("[I6] the end of a reading is not the end of the answer", async () => {
  const { clock, network, client } = open();
  const answer = client.resumeChat("gen_1", { after: "p1" });
  const whole = answer.whole();
  await settle();
  expect(network.asked[0]?.url).toBe("http://sluice.test/v1/chat/completions/gen_1/events");
  // Without an id, as the server writes it when it cannot read on.
  network.streams[0]?.write('data: {"error":{"code":"stream_interrupted","message":"x"}}\n\n');
  network.streams[0]?.end();
  await clock.advanceUntil(() => network.asked.length === 2);
  const record = { generation: { state: "failed", error: null }, usage: { total_tokens: 3 } };
  network.answer(Response.json(record));
  network.streams[1]?.write(
    'id: p9\ndata: {"error":{"code":"upstream_timeout","message":"x"}}\n\n',
  );
  const { state, error, usage } = await whole;
  expect([state, error?.code, usage?.total_tokens]).toEqual(["failed", "upstream_timeout", 3]);
  expect(network.asked[2]?.url).toBe("http://sluice.test/v1/chat/completions/gen_1");
});
