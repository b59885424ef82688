/** What a receiver on a real socket is told by the running Worker, and what a dead one costs. */
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRawClient } from "../support/raw-client.ts";
import { sendRequest } from "../support/send-request.ts";
import { SpecClient } from "../support/spec-client.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";

const KEY = new Uint8Array(32).fill(7);

interface Told {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

const told: Told[] = [];
/** What the receiver answers next; afterwards it takes everything. */
let refusals: number[] = [];
let hangs = false;
const receiver = createServer((request, response) => {
  void (async () => {
    const text = String(await buffer(request));
    const { type, data } = JSON.parse(text) as Pick<Told, "type" | "data">;
    told.push({ headers: request.headers, text, type, data });
    if (hangs) return;
    response.writeHead(refusals.shift() ?? 204, { location: "/elsewhere" }).end();
  })();
});
let worker: RunningWorker;

beforeAll(async () => {
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  worker = await startWorker({
    WEBHOOK_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`,
    WEBHOOK_SECRET: `whsec_${btoa(String.fromCharCode(...KEY))}`,
  });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  receiver.closeAllConnections();
  receiver.close();
});

const send = (method: string, path: string, body = "") =>
  sendRequest({ port: worker.port, method, path, headers: {}, body });

/** Waits for the n-th that was told of a thing. */
async function heard(field: string, value: string, count = 1): Promise<readonly Told[]> {
  const about = (): readonly Told[] => told.filter(({ data }) => data[field] === value);
  await until(`${count} about ${value}`, () => about().length >= count);
  return about();
}

function isGenuine({ headers, text }: Told): boolean {
  const content = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${text}`;
  const signature = createHmac("sha256", KEY).update(content).digest("base64");
  return headers["webhook-signature"] === `v1,${signature}`;
}

test("[E2] the end of a topic is told once, signed, whoever closes it again", async () => {
  await send("POST", "/v1/topics/news", '{"data":1}');
  await send("POST", "/v1/topics/news/close", '{"outcome":"stopped"}');
  await send("POST", "/v1/topics/news/close", '{"outcome":"failed"}');
  const [first, ...rest] = await heard("topic", "news");
  expect(first).toMatchObject({ type: "topic.closed", data: { outcome: "stopped" } });
  expect(first === undefined ? false : isGenuine(first)).toBe(true);
  expect(rest).toEqual([]);
});

test("[E2][W6] a room is occupied by the first and vacated by the last, however they go", async () => {
  const join = (): SpecClient => new SpecClient({ origin: () => worker.origin, room: "lobby" });
  using first = join();
  using second = join();
  await until("both to be there", () => first.isJoined && second.isJoined);
  await heard("room", "lobby", 1);
  first.leave();
  second[Symbol.dispose]();
  const all = await heard("room", "lobby", 2);
  expect(all.map(({ type }) => type)).toEqual(["room.occupied", "room.vacated"]);
});

test("[E2] the end of an answer is told with what it took and nothing that was said; also of one that is deleted", async () => {
  const body = JSON.stringify({
    // Whatever it is asked as, the demo says who it is.
    model: "demo-tools",
    store: true,
    messages: [{ role: "user", content: "a secret question" }],
  });
  const { headers } = await send("POST", "/v1/chat/completions", body);
  const id = String(headers["sluice-generation"]);
  const [ended] = await heard("generation", id);
  expect(ended).toMatchObject({
    type: "generation.ended",
    data: { outcome: "completed", model: "demo-tools", responseModel: "sluice-demo" },
  });
  expect(JSON.stringify(ended?.data["usage"])).toMatch(/"prompt_tokens":\d+/);
  expect(ended?.text).not.toContain("secret");
  const endless = await openRawClient(worker.port, streamRequest());
  endless.flow();
  await until("its name", () => /sluice-generation: gen_/i.test(endless.received()));
  const name = /sluice-generation: (gen_\w+)/i.exec(endless.received())?.[1] ?? "";
  expect((await send("DELETE", `/v1/chat/completions/${name}`)).status).toBe(200);
  const [stopped] = await heard("generation", name);
  expect(stopped?.data["outcome"]).toBe("stopped");
  endless[Symbol.dispose]();
});

function streamRequest(): string {
  const body = JSON.stringify({
    model: "demo-endless",
    stream: true,
    store: true,
    messages: [{ role: "user", content: "x" }],
  });
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

test("[E2] a receiver that refuses is told again, under the same id and elsewhere never", async () => {
  refusals = [500, 302];
  await send("PUT", "/v1/topics/again", "{}");
  await send("POST", "/v1/topics/again/close", "{}");
  const attempts = await heard("topic", "again", 3);
  expect(new Set(attempts.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  expect(attempts.every(isGenuine)).toBe(true);
});

test("[E2] a receiver that hangs holds nobody up", async () => {
  hangs = true;
  await send("POST", "/v1/topics/busy", '{"data":0}');
  const close = send("POST", "/v1/topics/busy/close", "{}");
  await heard("topic", "busy");
  const began = performance.now();
  expect((await close).status).toBe(200);
  for (let n = 0; n < 20; n += 1) {
    expect((await send("GET", "/v1/topics/busy")).status).toBe(200);
    expect((await send("POST", `/v1/topics/other-${n}`, '{"data":1}')).status).toBe(201);
  }
  // Held up, each of them would wait for the receiver.
  expect(performance.now() - began).toBeLessThan(30_000);
  hangs = false;
});
