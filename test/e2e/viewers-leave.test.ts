/** Those who watch a topic or a room over HTTP and leave, in every way: how soon they are forgotten. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { note } from "../support/note.ts";
import { openRawClient, type RawClient } from "../support/raw-client.ts";
import { chooseSeed, SeededRandom } from "../support/seeded-random.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";

const KEEPALIVE_MS = 300;
/** Beyond the next keepalive: what a busy machine may add. */
const SLACK_MS = 5_000;
const PATIENCE_MS = 1_000;

/** 240 KB that are published at once. */
const MUCH = Array.from({ length: 4 }, () => "x".repeat(60_000));

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({
    KEEPALIVE_MS: String(KEEPALIVE_MS),
    ROOM_CLASSES: JSON.stringify({
      hasty: { patienceMs: PATIENCE_MS, messagesPerSecond: 1e6, bytesPerSecond: 1e9 },
    }),
  });
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

/** Something that is watched: how, and who says how many do. */
interface Show {
  readonly stats: string;
  readonly events: string;
  readonly publish: string;
  readonly message: (text: string) => unknown;
}

const SHOWS: Readonly<Record<string, (name: string) => Show>> = {
  "a topic": (name) => ({
    stats: `/v1/topics/${name}/stats`,
    events: `/v1/topics/${name}`,
    publish: `/v1/topics/${name}`,
    message: (data) => ({ data }),
  }),
  "a topic among others": (name) => ({
    stats: `/v1/topics/${name}/stats`,
    events: `/v1/topics?topic=${name}&topic=${name}-2`,
    publish: `/v1/topics/${name}`,
    message: (data) => ({ data }),
  }),
  "a topic as a stream": (name) => ({
    stats: `/v1/topics/${name}/stats`,
    events: `/v1/stream/${name}?offset=-1&live=sse`,
    publish: `/v1/topics/${name}`,
    message: (data) => ({ data }),
  }),
  "a room": (name) => ({
    stats: `/v1/rooms/${name}/stats`,
    events: `/v1/rooms/${name}/events?history=0`,
    publish: `/v1/rooms/${name}/messages`,
    message: (payload) => ({ event: "tick", payload }),
  }),
};

async function connectionsOf({ stats }: Show): Promise<number> {
  const response = await fetch(worker.origin + stats);
  const { connections } = (await response.json()) as { readonly connections: number };
  return connections;
}

async function publish({ publish: path, message }: Show, ...texts: string[]): Promise<void> {
  const body = JSON.stringify(texts.map((text) => message(text)));
  const response = await fetch(worker.origin + path, { method: "POST", body });
  await response.arrayBuffer();
  expect(response.status).toBe(201);
}

async function watch({ events }: Show): Promise<RawClient> {
  return await openRawClient(
    worker.port,
    // Closed with the answer, so that its end is seen.
    `GET ${events} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\naccept: text/event-stream\r\n\r\n`,
  );
}

/** A viewer that has been let in and reads on. */
async function join(show: Show): Promise<RawClient> {
  const client = await watch(show);
  client.flow();
  await until("it is let in", async () => (await connectionsOf(show)) === 1);
  return client;
}

const WAYS = ["destroy", "resetAndDestroy"] as const;

test.each(
  Object.entries(SHOWS).flatMap(([what, show]) => WAYS.map((way) => [what, way, show] as const)),
)(
  "[S1][I7] %s forgets a viewer that leaves by %s by the next keepalive",
  async (what, way, showOf) => {
    const show = showOf(`leave-${what.replaceAll(" ", "-")}-${way}`);
    await publish(show, "first");
    using client = await join(show);
    const since = performance.now();
    client.socket[way]();
    await until("it is forgotten", async () => (await connectionsOf(show)) === 0);
    const ms = performance.now() - since;
    note(`${what}, ${way}: ${ms.toFixed(0)} ms`);
    expect(ms).toBeLessThan(KEEPALIVE_MS + SLACK_MS);
  },
);

test.each(Object.entries(SHOWS))(
  "[S1][B1][I7] %s forgets a viewer that had stopped reading and then leaves",
  async (what, showOf) => {
    const show = showOf(`stalled-${what.replaceAll(" ", "-")}`);
    await publish(show, "first");
    using client = await watch(show);
    await until("it is let in", async () => (await connectionsOf(show)) === 1);
    // More than the network holds on the way, so that the Worker's write waits when it leaves.
    for (let n = 0; n < 20; n += 1) await publish(show, ...MUCH);
    client.socket.resetAndDestroy();
    await until("it is forgotten", async () => (await connectionsOf(show)) === 0);
  },
);

test("[B3][I7] a room sends a viewer away that takes nothing for as long as its patience lasts", async () => {
  const show = SHOWS["a room"]?.("hasty:stalled");
  if (show === undefined) throw new Error("There is no room.");
  await publish(show, "first");
  using client = await watch(show);
  await until("it is let in", async () => (await connectionsOf(show)) === 1);
  for (let n = 0; n < 60; n += 1) await publish(show, ...MUCH);
  await until("it is sent away", async () => (await connectionsOf(show)) === 0);
  client.flow();
  await until("its answer ends", client.isOver);
});

const CYCLES = 1_000;
const AT_ONCE = 20;

test(`[S1][I7] ${CYCLES} viewers that come and go, in whatever way and at whatever moment, leave nothing`, async () => {
  const seed = chooseSeed();
  note(`seed ${seed}: repeat with SEED=${seed}`);
  const random = new SeededRandom(seed);
  const shows = Object.entries(SHOWS).map(([what, showOf]) =>
    showOf(`cycles-${what.replaceAll(" ", "-")}`),
  );
  for (const show of shows) await publish(show, "first");
  let started = 0;
  const cycle = async (): Promise<void> => {
    const show = shows[random.between(0, shows.length - 1)];
    if (show === undefined) return;
    const way = random.pick(WAYS);
    const waits = random.chance(0.7);
    const publishes = random.chance(0.1);
    using client = await watch(show);
    if (waits) {
      client.flow();
      await until("the answer begins", () => client.receivedBytes() > 0);
    }
    if (publishes) await publish(show, "more");
    client.socket[way]();
  };
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    while (started < CYCLES) {
      started += 1;
      await cycle();
    }
  });
  await Promise.all(lanes);
  for (const show of shows) {
    await until("all are forgotten", async () => (await connectionsOf(show)) === 0);
  }
});
