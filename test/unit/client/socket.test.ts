/** Rooms over a socket whose other end is the test. */
import { beforeEach, expect, test } from "vitest";
import { createClient, type RoomOptions } from "../../../src/client/index.ts";
import type { ClientFrame, ServerFrame } from "../../../src/protocol/frames.ts";
import { encodeServerFrame } from "../../../src/protocol/encode-server-frame.ts";
import { parseClientFrame } from "../../../src/protocol/parse-client-frame.ts";
import { decodeValue, encodeValue } from "../../../src/protocol/value.ts";
import { FakeClock, settle } from "../../support/fake-clock.ts";
import { FakeFetch, FakeWebSocket } from "./fake-network.ts";

const HEARTBEAT = 25_000;

beforeEach(() => {
  FakeWebSocket.opened.length = 0;
});

function open(options: RoomOptions = {}, token?: () => string) {
  const clock = new FakeClock();
  const network = new FakeFetch();
  const client = createClient({
    url: "http://sluice.test",
    fetch: network.fetch,
    WebSocket: FakeWebSocket as unknown as typeof WebSocket,
    clock,
    random: () => 0.5,
    ...(token === undefined ? {} : { token }),
  });
  return { clock, network, client, room: client.room("r", options) };
}

const frames = (): readonly ClientFrame[] =>
  FakeWebSocket.last.sent.flatMap((data) =>
    typeof data === "string" ? [] : [parseClientFrame(data)],
  );

const kinds = (): readonly string[] => frames().map(({ kind }) => kind);

function welcome(epoch = "e1", head = 0): void {
  FakeWebSocket.last.open();
  FakeWebSocket.last.receive(
    encodeServerFrame({
      kind: "welcome",
      member: "ann",
      connection: "c1",
      epoch,
      head,
      heartbeat: HEARTBEAT,
      credit: { messages: 4, bytes: 65_536 },
      presence: { count: 1, members: [], complete: true },
      limits: { message: 65_536, frame: 131_072, state: 1024 },
    }),
  );
}

type SentFrame = Parameters<typeof encodeServerFrame>[0];

function receive(frame: SentFrame & ServerFrame): void {
  FakeWebSocket.last.receive(encodeServerFrame(frame));
}

function deliver(first: number, ...values: readonly unknown[]): void {
  receive({
    kind: "deliver",
    first,
    entries: values.map((value, index) => ({
      sender: "bob",
      at: 0,
      event: "chat",
      payload: encodeValue(value),
      id: `m${first + index}`,
    })),
  } as never);
}

test("[W2][P75] a socket that answers no ping is given up, and the room taken up where it was", async () => {
  const { clock, client, room } = open({ member: "ann" });
  const seen: unknown[] = [];
  room.subscribe((item) => {
    seen.push("payload" in item ? item.payload : item);
  });
  await settle();
  expect(FakeWebSocket.last.url).toBe("ws://sluice.test/v1/rooms/r");
  welcome("e1", 7);
  deliver(8, "a");
  for (let beat = 0; beat < 3; beat += 1) {
    await clock.advance(HEARTBEAT);
    FakeWebSocket.last.receive("pong");
  }
  expect(FakeWebSocket.last.sent.filter((data) => data === "ping")).toHaveLength(3);
  expect(room.state.get().kind).toBe("live");
  await clock.advance(2 * HEARTBEAT);
  expect(room.state.get()).toMatchObject({ kind: "waiting", because: "silent" });
  expect(FakeWebSocket.opened[0]?.isClosed).toBe(true);
  await clock.advance(500);
  welcome("e1", 9);
  expect(frames()[0]).toMatchObject({
    kind: "hello",
    member: "ann",
    resume: { epoch: "e1", seq: 8 },
  });
  expect(room.state.get().kind).toBe("catching-up");
  deliver(9, "b");
  await settle();
  expect([room.state.get().kind, seen]).toEqual(["live", ["a", "b"]]);
  client.close();
  expect([FakeWebSocket.last.isClosed, clock.armed]).toEqual([true, 0]);
});

test("[W2] a server that never greets is given up", async () => {
  const { clock, room } = open();
  void room.join().catch(() => {});
  await settle();
  FakeWebSocket.last.open();
  await clock.advance(15_000);
  expect(room.state.get()).toMatchObject({ kind: "waiting", because: "silent" });
});

test("[P81] close codes decide: come back, come back with a new token, or stay away", async () => {
  for (const [code, kind] of [
    [1006, "waiting"],
    [1012, "waiting"],
    [4410, "waiting"],
    [4429, "waiting"],
    [4999, "waiting"],
    [4401, "connecting"],
    [1000, "closed"],
    [1009, "closed"],
    [4400, "closed"],
    [4403, "closed"],
    [4404, "closed"],
  ] as const) {
    const { client, room } = open();
    const joined = room.join();
    await settle();
    welcome();
    await joined;
    FakeWebSocket.last.break(code);
    expect([code, room.state.get().kind]).toEqual([code, kind]);
    client.close();
  }
});

test("[E2] a handshake that is refused is explained by a plain request, and the token renewed", async () => {
  let given = 0;
  const { clock, network, room, client } = open({}, () => {
    given += 1;
    return `token-${given}`;
  });
  const joined = room.join();
  await settle();
  expect(FakeWebSocket.last.protocols).toEqual(["sluice.v1", "sluice.bearer.token-1"]);
  network.answer(Response.json({ code: "token_expired", detail: "x" }, { status: 401 }));
  FakeWebSocket.last.break(1006);
  await settle();
  expect(FakeWebSocket.last.protocols).toEqual(["sluice.v1", "sluice.bearer.token-2"]);
  network.answer(Response.json({ code: "upgrade_required" }, { status: 426 }));
  FakeWebSocket.last.break(1006);
  await settle();
  expect(room.state.get()).toMatchObject({ kind: "waiting", because: "network" });
  await clock.advance(500);
  network.answer(Response.json({ code: "bad_name", detail: "no name" }, { status: 400 }));
  FakeWebSocket.last.break(1006);
  await expect(joined).rejects.toMatchObject({ code: "bad_name", message: "no name" });
  client.close();
});

test.each([["error"], ["error", "close"], ["close"]] as const)(
  "[W2] a handshake that is refused is noticed at once, told by %s, %s",
  async (...events) => {
    const { network, room, client } = open({});
    const joined = room.join();
    await settle();
    network.answer(Response.json({ code: "forbidden", detail: "no" }, { status: 403 }));
    FakeWebSocket.last.refuse(...events);
    await expect(joined).rejects.toMatchObject({ code: "forbidden" });
    expect(network.asked.length).toBe(1);
    client.close();
  },
);

test("[W3] an outbox that is cut short by a refusal was not drained", async () => {
  const { network, room, client } = open({});
  const said = room.publish("chat", "m1");
  const drained = room.outbox.drained();
  await settle();
  network.answer(Response.json({ code: "forbidden", detail: "no" }, { status: 403 }));
  FakeWebSocket.last.refuse("close");
  await expect(said).rejects.toMatchObject({ code: "forbidden" });
  await expect(drained).rejects.toMatchObject({ code: "forbidden" });
  await expect(room.outbox.drained()).rejects.toMatchObject({ code: "forbidden" });
  client.close();
});

test("[P33][W5] what was not answered is sent again, in order, before what is new", async () => {
  const { clock, room, client } = open({ member: "ann", outbox: { inFlight: 2 } });
  const sent = ["m1", "m2", "m3"].map((id) => room.publish("chat", id, { id }));
  await settle();
  welcome();
  await settle();
  const published = (): readonly string[] =>
    frames().flatMap((frame) => (frame.kind === "publish" ? [frame.id] : []));
  expect(published()).toEqual(["m1", "m2"]);
  receive({ kind: "published", published: [{ id: "m1", seq: 1 }] });
  expect(published()).toEqual(["m1", "m2", "m3"]);
  FakeWebSocket.last.break(1006);
  await clock.advance(500);
  welcome();
  expect(published()).toEqual(["m2", "m3"]);
  receive({
    kind: "published",
    published: [
      { id: "m2", seq: 2 },
      { id: "m3", seq: 3 },
    ],
  });
  expect((await Promise.all(sent)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(room.outbox.size.get()).toBe(0);
  client.close();
});

test("[P34] nothing new is sent while the server wants to be left alone, and then one at a time", async () => {
  const { clock, room, client } = open();
  const ids = ["m1", "m2", "m3", "m4"];
  for (const id of ids.slice(0, 2)) void room.publish("chat", id, { id });
  await settle();
  welcome();
  await settle();
  const refuse = (id: string): void => {
    receive({ kind: "error", id, code: "rate_limited", message: "x", retryAfterMs: 200 });
  };
  refuse("m1");
  refuse("m2");
  for (const id of ids.slice(2)) void room.publish("chat", id, { id });
  await settle();
  const published = (): readonly string[] =>
    frames().flatMap((frame) => (frame.kind === "publish" ? [frame.id] : []));
  expect(published()).toEqual(["m1", "m2"]);
  await clock.advance(200);
  for (const [index, id] of ids.entries()) {
    expect(published().slice(2)).toEqual(ids.slice(0, index + 1));
    receive({ kind: "published", published: [{ id, seq: index + 1 }] });
  }
  client.close();
});

test("[P51][P53] credit is granted as the application consumes, and not for another epoch", async () => {
  const { clock, room, client } = open({ history: 10 });
  const iterator = room[Symbol.asyncIterator]();
  const first = iterator.next();
  await settle();
  welcome("e1", 4);
  deliver(1, 1, 2, 3, 4);
  await first;
  await iterator.next();
  expect(kinds().filter((kind) => kind === "ack")).toEqual([]);
  await iterator.next();
  expect(frames().at(-1)).toEqual({ kind: "ack", seq: 2, mail: 0 });
  FakeWebSocket.last.break(1006);
  await clock.advance(500);
  // 3 was begun with, so only 4 comes again: but the log has begun anew.
  welcome("e2", 2);
  expect(frames()[0]).toMatchObject({ resume: { epoch: "e1", seq: 3 } });
  receive({ kind: "gap", reason: "epoch", from: 0, to: 1 });
  deliver(2, "new");
  const gap = (await iterator.next()).value;
  expect(gap).toMatchObject({ kind: "gap", reason: "epoch" });
  expect((await iterator.next()).value).toMatchObject({ payload: "new", seq: 2 });
  expect(kinds()).not.toContain("ack");
  await iterator.return?.();
  room.close();
  expect(frames().at(-1)).toEqual({ kind: "ack", seq: 2, mail: 0 });
  client.close();
});

test("[W6] what is shown while the room is being joined is shown as soon as it can be", async () => {
  const { clock, room } = open({ member: "ann", presence: { x: 0 } });
  void room.join().catch(() => {});
  await settle();
  room.show({ x: 1 });
  FakeWebSocket.last.open();
  room.show({ x: 2 });
  welcome();
  const shown = (): readonly unknown[] =>
    frames().flatMap((frame) => (frame.kind === "presence" ? [decodeValue(frame.state)] : []));
  expect(shown()).toEqual([{ x: 2 }]);
  room.show({ x: 3 });
  expect(shown()).toEqual([{ x: 2 }, { x: 3 }]);

  // The next hello says the newest.
  FakeWebSocket.last.break(1006);
  await clock.advance(500);
  welcome();
  const [hello] = frames();
  expect(hello?.kind === "hello" && hello.state && decodeValue(hello.state)).toEqual({ x: 3 });
  expect(shown()).toEqual([]);
});
