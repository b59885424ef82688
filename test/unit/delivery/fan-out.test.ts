import { expect, test } from "vitest";
import { FakeSocket } from "../../support/fake-socket.ts";
import { FanOutScene as Scene } from "../../support/fan-out-scene.ts";

function spans(socket: FakeSocket): readonly string[] {
  return socket.sent.map((data) => {
    const view = new DataView(data.buffer);
    return `${view.getUint16(0)}-${view.getUint16(2)}`;
  });
}

const AMPLE = { messages: 1_000, bytes: 1_000_000 };

test("[I3] who has everything is live and gets the same bytes as all others", () => {
  const scene = new Scene();
  const [ann, bob] = [scene.join(AMPLE), scene.join(AMPLE)];
  expect(scene.becameLive).toHaveLength(2);
  scene.flush(2);
  scene.flush(1);
  expect(spans(ann.socket)).toEqual(["1-2", "3-3"]);
  expect(spans(bob.socket)).toEqual(spans(ann.socket));
  expect(scene.reads).toBe(0);
});

test("[I3] who is behind reads pages from the log, and goes on live without hole or repetition", () => {
  const scene = new Scene();
  for (let n = 0; n < 5; n += 1) scene.flush(2, 400);
  const { socket, connection } = scene.join(AMPLE, 3);
  expect(connection.phase.kind).toBe("live");
  scene.flush(1);
  expect(spans(socket)).toEqual(["4-6", "7-10", "11-11"]);
});

test("[I5][B1] without credit for messages a member lags, and costs a cursor only", () => {
  const scene = new Scene();
  const { socket, connection } = scene.join({ messages: 3, bytes: 1_000_000 });
  for (let n = 0; n < 10; n += 1) scene.flush(1);
  expect(spans(socket)).toEqual(["1-1", "2-2", "3-3"]);
  expect(connection.phase).toMatchObject({ kind: "lagging", cursor: 3 });
  expect([scene.fanOut.liveCount, scene.fanOut.laggingCount]).toEqual([0, 1]);
  expect(scene.reads).toBe(0);
  scene.fanOut.acknowledge(connection, 1);
  expect(spans(socket).slice(3)).toEqual(["4-4"]);
  scene.fanOut.acknowledge(connection, 4);
  expect(spans(socket).slice(4)).toEqual(["5-7"]);
  scene.fanOut.acknowledge(connection, 7);
  expect(spans(socket).slice(5)).toEqual(["8-10"]);
  expect(connection.phase.kind).toBe("live");
});

test("[I5][B1] without credit for bytes a member lags", () => {
  const scene = new Scene();
  const { socket, connection } = scene.join({ messages: 1_000, bytes: 25 });
  for (let n = 0; n < 6; n += 1) scene.flush(1, 10);
  expect(spans(socket)).toEqual(["1-1", "2-2", "3-3"]);
  expect(scene.fanOut.outstandingBytes()).toBe(30);
  scene.fanOut.acknowledge(connection, 2);
  expect(spans(socket).slice(3)).toEqual(["4-4", "5-5"]);
  expect(scene.fanOut.outstandingBytes()).toBe(30);
});

test("[I5] a flush or a row larger than the window passes when nothing is outstanding", () => {
  const scene = new Scene();
  const { socket, connection } = scene.join({ messages: 1, bytes: 1 });
  scene.flush(50, 5_000);
  scene.flush(50, 5_000);
  expect(spans(socket)).toEqual(["1-50"]);
  scene.fanOut.acknowledge(connection, 49);
  expect(spans(socket)).toEqual(["1-50"]);
  scene.fanOut.acknowledge(connection, 50);
  expect(spans(socket)).toEqual(["1-50", "51-100"]);
});

test("[I5] who begins inside a flush larger than its window gets the rest of it", () => {
  const scene = new Scene();
  scene.flush(10, 5_000);
  const { socket } = scene.join({ messages: 1_000, bytes: 100 }, 4);
  expect(spans(socket)).toEqual(["5-10"]);
});

test("[I5] flushes sent live before a page are counted while the page is under way", () => {
  const scene = new Scene();
  const { socket, connection } = scene.join({ messages: 1_000, bytes: 150 });
  for (let n = 0; n < 4; n += 1) scene.flush(1, 100);
  expect(spans(socket)).toEqual(["1-1", "2-2"]);
  scene.fanOut.acknowledge(connection, 1);
  expect(spans(socket).slice(2)).toEqual(["3-3"]);
  expect(scene.fanOut.outstandingBytes()).toBe(200);
  scene.fanOut.acknowledge(connection, 2);
  expect(spans(socket).slice(3)).toEqual(["4-4"]);
});

test("[I5][S6] of a page that leaves entries out, what it holds is outstanding and not what it stands for", () => {
  const scene = new Scene();
  scene.isSparse = true;
  const { socket, connection } = scene.join({ messages: 4, bytes: 150 });
  for (let n = 0; n < 10; n += 1) scene.flush(1, 100);
  expect(spans(socket)).toEqual(["1-1", "2-2"]);
  scene.fanOut.acknowledge(connection, 2);
  expect(spans(socket).slice(2)).toEqual(["10-10"]);
  expect(scene.fanOut.outstandingBytes()).toBe(100);
  // It stands for more messages than there is credit for: what follows waits for its acknowledgement.
  scene.flush(1, 100);
  scene.flush(1, 100);
  expect(spans(socket).slice(3)).toEqual([]);
  scene.fanOut.acknowledge(connection, 10);
  expect(spans(socket).slice(3)).toEqual(["12-12"]);
  expect(scene.fanOut.outstandingBytes()).toBe(100);
  scene.fanOut.acknowledge(connection, 12);
  expect(scene.fanOut.outstandingBytes()).toBe(0);
  expect(connection.phase.kind).toBe("live");
});

test("[I3] who is sent something else or told to go has what was on its way; who lags waits for nothing", () => {
  const scene = new Scene("replay", { receivers: 1, next: () => undefined });
  const lagging = scene.join({ messages: 1, bytes: 1_000 });
  const [ann, bob] = [scene.join(AMPLE), scene.join(AMPLE)];
  scene.flush(1);
  scene.flush(1);
  expect([lagging, ann, bob].map(({ socket }) => socket.sent.length)).toEqual([1, 2, 1]);
  scene.fanOut.catchUp(lagging.connection);
  expect(bob.socket.sent).toHaveLength(1);
  scene.fanOut.catchUp(ann.connection);
  expect(bob.socket.sent).toHaveLength(2);
});

test("[I4] what is no longer stored is said, needs no acknowledgement, and reading goes on after it", () => {
  const scene = new Scene();
  const { socket, connection } = scene.join({ messages: 2, bytes: 1_000 });
  for (let n = 0; n < 10; n += 1) scene.flush(1);
  scene.head = 8;
  scene.fanOut.acknowledge(connection, 2);
  expect(spans(socket)).toEqual(["1-1", "2-2", "3-7", "8-9"]);
  expect(connection.acked).toBe(7);
});

test("[I4][I5] a page sent before a gap takes no credit after it", () => {
  const scene = new Scene();
  for (let n = 0; n < 4; n += 1) scene.flush(1, 100);
  const { socket, connection } = scene.join({ messages: 1_000, bytes: 150 }, 0);
  expect(spans(socket)).toEqual(["1-1", "2-2"]);
  for (let n = 0; n < 4; n += 1) scene.flush(1, 100);
  scene.head = 6;
  scene.fanOut.acknowledge(connection, 1);
  expect(spans(socket).slice(2)).toEqual(["3-5", "6-6", "7-7"]);
  // An acknowledgement of what came before the gap is an old one, and must not be needed.
  scene.fanOut.acknowledge(connection, 2);
  scene.fanOut.acknowledge(connection, 7);
  expect(spans(socket).slice(5)).toEqual(["8-8"]);
});

test("[I5][W4] numbers that were never sent, or are old, change nothing", () => {
  const scene = new Scene();
  const { socket, connection } = scene.join({ messages: 2, bytes: 1_000 });
  for (let n = 0; n < 5; n += 1) scene.flush(1);
  for (const seq of [3, 5, 6, Number.MAX_SAFE_INTEGER]) {
    expect(scene.fanOut.acknowledge(connection, seq)).toBe(false);
  }
  expect(connection.acked).toBe(0);
  expect(scene.fanOut.acknowledge(connection, 2)).toBe(true);
  expect(scene.fanOut.acknowledge(connection, 1)).toBe(true);
  expect(connection.acked).toBe(2);
  expect(spans(socket)).toEqual(["1-1", "2-2", "3-4"]);
});

test("[B3] with the policy `disconnect` who runs out of credit is dropped, and nobody else notices", () => {
  const scene = new Scene("disconnect");
  const slow = scene.join({ messages: 1, bytes: 1_000 });
  const quick = scene.join(AMPLE);
  for (let n = 0; n < 3; n += 1) scene.flush(1);
  expect(scene.dropped).toEqual([slow.connection]);
  expect(spans(slow.socket)).toEqual(["1-1"]);
  expect(spans(quick.socket)).toEqual(["1-1", "2-2", "3-3"]);
});

test("[B3][W4] a slow member and one whose socket has ended touch nobody else", () => {
  const scene = new Scene();
  const slow = scene.join({ messages: 1, bytes: 10 });
  const ended = scene.join(AMPLE);
  const quick = scene.join(AMPLE);
  ended.socket.close(1006, "");
  for (let n = 0; n < 100; n += 1) scene.flush(1);
  expect(quick.socket.sent).toHaveLength(100);
  expect(slow.socket.sent).toHaveLength(1);
});

test("[B3] patience begins anew with each acknowledgement", async () => {
  const scene = new Scene();
  const { connection } = scene.join({ messages: 1, bytes: 1_000 });
  for (let n = 0; n < 5; n += 1) scene.flush(1);
  const since = scene.clock.now();
  expect(connection.phase).toMatchObject({ since });
  await scene.clock.advance(1_000);
  scene.fanOut.acknowledge(connection, 1);
  expect(connection.phase).toMatchObject({ kind: "lagging", since: since + 1_000 });
});

test("[I1][I7] connections are taken up as they were, and forgotten when they go", () => {
  const scene = new Scene();
  const { connection } = scene.join({ messages: 1, bytes: 1_000 });
  scene.flush(1);
  scene.flush(1);
  const woken = new Scene();
  woken.fanOut.restore(connection);
  expect(woken.fanOut.laggingCount).toBe(1);
  woken.fanOut.remove(connection);
  expect([woken.fanOut.laggingCount, woken.fanOut.liveCount]).toEqual([0, 0]);
});
