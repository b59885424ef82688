/** Readers that are not ours, unchanged, whose connections break under them. */
import { spawn } from "node:child_process";
import { createEventSource } from "eventsource-client";
import { EventSource } from "eventsource";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { openTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { TopicClient } from "../support/topic-client.ts";

const CUTS = 3;
const BETWEEN_CUTS = 20;
const EXPECTED = Array.from({ length: (CUTS + 1) * BETWEEN_CUTS }, (_, n) => n);

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({});
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

/** Publishes all events; before each cut the reader has some of them, and the rest is on its way. */
async function publishAndCut(topic: TopicClient, seen: readonly unknown[], proxy: TcpProxy) {
  for (let round = 0; round <= CUTS; round += 1) {
    for (let n = 0; n < BETWEEN_CUTS; n += 1) {
      await topic.publish({ data: round * BETWEEN_CUTS + n });
    }
    if (round === CUTS) break;
    await until("some to arrive", () => seen.length > round * BETWEEN_CUTS);
    proxy.cut();
  }
  await topic.close({ data: "over" });
}

test("[E1][S4][S3] `eventsource` misses and doubles nothing across resets, hears the end and stays away", async () => {
  await using proxy = await openTcpProxy(worker.port);
  const topic = new TopicClient(() => worker.origin, "npm-eventsource");
  const seen: unknown[] = [];
  const ends: unknown[] = [];
  let connections = 0;
  const source = new EventSource(`${proxy.origin}/v1/topics/${topic.name}`, {
    fetch: async (url, init) => {
      connections += 1;
      return await fetch(url, init);
    },
  });
  source.addEventListener("message", ({ data }) => {
    seen.push(JSON.parse(String(data)));
  });
  source.addEventListener("end", ({ data }) => {
    ends.push(JSON.parse(String(data)));
  });
  try {
    await publishAndCut(topic, seen, proxy);
    // Nobody calls `close()`: the server's 204 does.
    await until("it to stay away", () => source.readyState === source.CLOSED);
    expect(seen).toEqual(EXPECTED);
    expect(ends).toEqual([{ outcome: "completed", data: "over" }]);
    expect(connections).toBe(1 + CUTS + 1);
  } finally {
    source.close();
  }
});

test("[E1][S4][S3] `eventsource-client` misses and doubles nothing across resets, hears the end and stays away", async () => {
  await using proxy = await openTcpProxy(worker.port);
  const topic = new TopicClient(() => worker.origin, "npm-eventsource-client");
  const seen: unknown[] = [];
  const ends: unknown[] = [];
  const delays: number[] = [];
  const source = createEventSource({
    url: `${proxy.origin}/v1/topics/${topic.name}?format=sse`,
    onScheduleReconnect: ({ delay }) => {
      delays.push(delay);
    },
    onMessage: ({ event, data }) => {
      (event === "end" ? ends : seen).push(JSON.parse(data));
    },
  });
  try {
    await publishAndCut(topic, seen, proxy);
    await until("it to stay away", () => source.readyState === "closed");
    expect(seen).toEqual(EXPECTED);
    expect(ends).toEqual([{ outcome: "completed", data: "over" }]);
    // The server says how long to wait, a little different each time.
    expect(delays).toHaveLength(CUTS + 1);
    for (const delay of delays) {
      expect(delay).toBeGreaterThanOrEqual(1_000);
      expect(delay).toBeLessThanOrEqual(2_000);
    }
  } finally {
    source.close();
  }
});

test("[E1][S1] `curl -N` prints events as they come, ends with the topic, and resumes with a header", async () => {
  const topic = new TopicClient(() => worker.origin, "curl");
  const address = `${topic.url}?format=sse`;
  const screen = curl(address);
  await topic.publish({ event: "order", data: { n: 1 } });
  // The next is published only when the first is on the screen.
  await until("the first event", () => screen.text.includes('event: order\ndata: {"n":1}\n\n'));
  const id = /^id: (.+)\nevent: order/m.exec(screen.text)?.[1] ?? "";
  await topic.publish({ data: "two\nlines" });
  await until("the second event", () => screen.text.includes('data: "two\\nlines"\n\n'));
  await topic.close();
  expect(await screen.exitCode).toBe(0);
  expect(screen.text).toMatch(/event: end\ndata: \{"outcome":"completed"\}\n\n$/);
  const again = curl("-H", `Last-Event-ID: ${id}`, address);
  expect(await again.exitCode).toBe(0);
  expect(again.text).not.toContain("order");
  expect(again.text).toContain('data: "two\\nlines"\n\n');
});

interface Screen {
  /** What was printed so far. */
  text: string;
  readonly exitCode: Promise<number | null>;
}

function curl(...args: readonly string[]): Screen {
  const { promise: exitCode, resolve, reject } = Promise.withResolvers<number | null>();
  const screen: Screen = { text: "", exitCode };
  const child = spawn("curl", ["-sSN", ...args]);
  child.stdout.setEncoding("utf8").on("data", (piece: string) => {
    screen.text += piece;
  });
  child.on("close", resolve).on("error", reject);
  return screen;
}
