/** Rooms over real sockets, with a client that knows SPEC.md only. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { encodeSpecFrame } from "../support/spec-frames.ts";
import { SpecClient } from "../support/spec-client.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

let worker: RunningWorker;
const origin = (): string => worker.origin;

beforeAll(async () => {
  worker = await startWorker({});
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

test("[W1][P26][P32][P41][P42] two members of a room hear each other and themselves, in one order", async () => {
  using ann = new SpecClient({ origin, room: "talk", member: "ann" });
  using bob = new SpecClient({ origin, room: "talk", member: "bob" });
  await until("both to join", () => ann.isJoined && bob.isJoined);
  await Promise.all([
    ...[1, 2, 3].map((n) => ann.publish("chat", { n })),
    ...[1, 2, 3].map((n) => bob.publish("chat", { n })),
  ]);
  await until("all to arrive", () => ann.messages.length === 6 && bob.messages.length === 6);
  expect(ann.messages).toEqual(bob.messages);
  expect([...ann.violations, ...bob.violations]).toEqual([]);
});

test("[W1][P13] every kind of value arrives as it was sent", async () => {
  const values = [
    null,
    true,
    -1.5,
    "héllo \u{1f600}",
    new Uint8Array([0, 193, 255]),
    2n ** 64n - 1n,
    -(2n ** 63n),
    { list: [[], {}], text: "" },
  ];
  using ann = new SpecClient({ origin, room: "values", member: "ann" });
  using bob = new SpecClient({ origin, room: "values", member: "bob" });
  await until("both to join", () => ann.isJoined && bob.isJoined);
  for (const value of values) await ann.publish("value", value);
  await until("all to arrive", () => bob.messages.length === values.length);
  expect(bob.messages.map(({ payload }) => payload)).toEqual(values);
});

test("[W3][P33][P55] a client whose network breaks again and again misses and repeats nothing", async () => {
  await using proxy = await openTcpProxy(worker.port);
  const broken = (): string => proxy.origin;
  const random = (): number => 0.1;
  using ann = new SpecClient({ origin: broken, room: "resume", member: "ann", random });
  using bob = new SpecClient({ origin, room: "resume", member: "bob" });
  await until("both to join", () => ann.isJoined && bob.isJoined);
  const seqs: number[] = [];
  const texts: string[] = [];
  for (let round = 0; round < 4; round += 1) {
    const sent = [ann, bob].flatMap((client) =>
      [0, 1, 2, 3, 4].map(async (n) => {
        const text = `${round}.${n} ${client === ann ? "ann" : "bob"}`;
        texts.push(text);
        seqs.push(await client.publish("chat", text));
      }),
    );
    // Ann's are on their way or stored or answered: whatever they are, the connection is gone.
    proxy.cut();
    await Promise.all(sent);
    await until("ann to be back", () => ann.isJoined);
  }
  await until("all to arrive", () => [ann, bob].every(({ messages }) => messages.length === 40));
  expect(ann.messages).toEqual(bob.messages);
  expect(bob.messages.map(({ payload }) => String(payload)).toSorted()).toEqual(texts.toSorted());
  expect(new Set(seqs).size).toBe(40);
  expect(ann.closes).toHaveLength(4);
  expect([...ann.violations, ...bob.violations, ...ann.gaps]).toEqual([]);
});

test("[W1][W5][P60][P61] a direct message reaches its receiver alone, also one who comes later", async () => {
  using ann = new SpecClient({ origin, room: "mail", member: "ann" });
  using eve = new SpecClient({ origin, room: "mail", member: "eve" });
  await until("both to join", () => ann.isJoined && eve.isJoined);
  expect(await ann.direct("bob", "dm", "first")).toBe(1);
  expect(await ann.direct("bob", "dm", "second", "same")).toBe(2);
  expect(await ann.direct("bob", "dm", "second", "same")).toBe(2);
  using bob = new SpecClient({ origin, room: "mail", member: "bob" });
  await until("bob to have his mail", () => bob.mail.length === 2);
  await ann.direct("bob", "dm", "third");
  await until("bob to have all his mail", () => bob.mail.length === 3);
  expect(bob.mail.map(({ sender, payload }) => [sender, payload])).toEqual([
    ["ann", "first"],
    ["ann", "second"],
    ["ann", "third"],
  ]);
  await eve.publish("chat", "done");
  await until("eve to hear herself", () => eve.messages.length === 1);
  expect(eve.mail).toEqual([]);
  expect(bob.violations).toEqual([]);
});

test("[W5][P54] more mail than may be outstanding arrives as it is acknowledged", async () => {
  using ann = new SpecClient({ origin, room: "much-mail", member: "ann" });
  await until("ann to join", () => ann.isJoined);
  const numbers = Array.from({ length: 150 }, (_, n) => n);
  await Promise.all(numbers.map((n) => ann.direct("bob", "dm", n)));
  using bob = new SpecClient({ origin, room: "much-mail", member: "bob" });
  await until("bob to have his mail", () => bob.mail.length === numbers.length);
  expect(bob.mail.map(({ payload }) => payload)).toEqual(numbers);
});

test("[W6][P65][P66][P67][P69][P80] who is here and how is known to all, until the last connection leaves", async () => {
  const room = "presence";
  using ann = new SpecClient({ origin, room, member: "ann", state: { typing: false } });
  await until("ann to join", () => ann.isJoined);
  using bob = new SpecClient({ origin, room, member: "bob", state: 1 });
  using bobAgain = new SpecClient({ origin, room, member: "bob", state: 1 });
  await until("bob to be seen", () => ann.presence.has("bob") && bobAgain.isJoined);
  await until("bob to see ann", () => bob.presence.has("ann"));
  expect(bob.presence.get("ann")).toEqual({ typing: false });
  ann.setState({ typing: true });
  await until("the change to be seen", () => {
    const state = bob.presence.get("ann");
    return (
      typeof state === "object" && state !== null && "typing" in state && state.typing === true
    );
  });
  ann.setState("x".repeat(2_000));
  await until("the refusal", () => ann.errors.length === 1);
  expect(ann.errors[0]).toMatchObject({ id: null, code: "state_too_large" });
  expect(ann.count).toBe(2);
  bobAgain.leave();
  await until("the second connection to end", () => bobAgain.isOver);
  expect(bobAgain.closes).toEqual([1000]);
  expect(ann.presence.has("bob")).toBe(true);
  bob.leave();
  await until("bob to be gone", () => !ann.presence.has("bob") && ann.count === 1);
  expect(await (await fetch(`${worker.origin}/v1/rooms/${room}/presence`)).json()).toEqual({
    complete: true,
    count: 1,
    members: [{ member: "ann", state: { typing: true } }],
  });
});

test("[W6][I7] a member whose network is gone is gone, and comes and goes once for the others", async () => {
  using ann = new SpecClient({ origin, room: "ghosts", member: "ann" });
  await until("ann to join", () => ann.isJoined);
  for (let visit = 1; visit <= 3; visit += 1) {
    using socket = await RawSocket.open(worker.port, "/v1/rooms/ghosts");
    socket.sendBinary(encodeSpecFrame([1, { member: "bob", state: visit }]));
    await until("bob to be seen", () => ann.presence.get("bob") === visit);
    socket.tcp.resetAndDestroy();
    await until("bob to be gone", () => !ann.presence.has("bob") && ann.count === 1);
  }
  expect(await (await fetch(`${worker.origin}/v1/rooms/ghosts/stats`)).json()).toMatchObject({
    members: 1,
    connections: 1,
  });
});

test("[W2][P3][P75] the text ping is answered with the text pong, also before hello", async () => {
  using socket = await RawSocket.open(worker.port, "/v1/rooms/beat");
  expect(socket.handshake.status).toBe(101);
  expect(socket.handshake.headers.get("sec-websocket-protocol")).toBe("sluice.v1");
  socket.sendText("ping");
  await until("the pong", () => socket.messages.length === 1);
  expect(socket.messages.map(({ text, data }) => [text, new TextDecoder().decode(data)])).toEqual([
    [true, "pong"],
  ]);
});

test("[E1][S3][S4] a viewer reads the room as server-sent events with plain fetch and resumes by Last-Event-ID", async () => {
  using ann = new SpecClient({ origin, room: "viewed", member: "ann" });
  await until("ann to join", () => ann.isJoined);
  for (const n of [1, 2, 3]) await ann.publish("chat", { n });
  const url = `${worker.origin}/v1/rooms/viewed/events`;
  const whole = await readEvents(`${url}?history=3`, {}, 3);
  expect(whole).toMatchObject(
    [1, 2, 3].map((n) => ({ event: "chat", data: { sender: "ann", payload: { n } } })),
  );
  const resumed = await readEvents(url, { "last-event-id": whole[0]?.id ?? "" }, 2);
  expect(resumed).toEqual(whole.slice(1));
});

test("[B4][P1] all of a room is exported line by line, compressed when that is accepted", async () => {
  using ann = new SpecClient({ origin, room: "exported", member: "ann" });
  await until("ann to join", () => ann.isJoined);
  await Promise.all(Array.from({ length: 150 }, (_, n) => ann.publish("chat", n)));
  for (const encoding of ["gzip", "identity"]) {
    const response = await fetch(`${worker.origin}/v1/rooms/exported/messages`, {
      headers: { accept: "application/x-ndjson", "accept-encoding": encoding },
    });
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(response.headers.get("content-encoding")).toBe(encoding === "gzip" ? "gzip" : null);
    const lines = (await response.text()).split("\n").slice(0, -1);
    const messages = lines.map(
      (line) => JSON.parse(line) as { payload: unknown; position: string },
    );
    expect(messages.map(({ payload }) => payload)).toEqual(
      Array.from({ length: 150 }, (_, n) => n),
    );
    expect(messages.map(({ position }) => position)).toEqual(
      messages.map(({ position }) => position).toSorted(),
    );
  }
});

interface ReadEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: unknown;
}

/** The first so many events of a stream; then it is left. */
async function readEvents(
  url: string,
  headers: Readonly<Record<string, string>>,
  count: number,
): Promise<readonly ReadEvent[]> {
  const response = await fetch(url, { headers });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const events: ReadEvent[] = [];
  let text = "";
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(
    new TextDecoderStream(),
  )) {
    text += chunk;
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const field = (name: string): string | undefined =>
        block
          .split("\n")
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = field("data");
      if (data === undefined) continue;
      events.push({ id: field("id"), event: field("event"), data: JSON.parse(data) as unknown });
    }
    if (events.length >= count) break;
  }
  return events;
}
