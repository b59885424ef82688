/** Requests that only mean to hurt, against the running Worker: each is refused, and everybody else is served. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRawClient } from "../support/raw-client.ts";
import { sendRequest } from "../support/send-request.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";

/** Milliseconds between two bytes of a body that trickles, and in all. */
const DROP_MS = 100;
const BODY_TIMEOUT_MS = 1_200;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ BODY_IDLE_MS: "400", BODY_TIMEOUT_MS: String(BODY_TIMEOUT_MS) });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

const send = (
  method: string,
  path: string,
  body: string | Uint8Array = "",
  headers: Readonly<Record<string, string>> = {},
) => sendRequest({ port: worker.port, method, path, headers, body });

/** Sends the head of a body that says it is long, and a bite of it. */
async function openTrickle(path: string) {
  const client = await openRawClient(
    worker.port,
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\n\r\n{`,
  );
  client.flow();
  return client;
}

const DOORS = [
  "/api/chat",
  "/v1/chat/completions",
  "/v1/topics/slow",
  "/v1/rooms/slow/messages",
  "/v1/stream/slow",
];

test.each(DOORS)("[E2][B3] a body for %s that stops is refused in time", async (path) => {
  using client = await openTrickle(path);
  await until("an answer", () => client.receivedBytes() > 0);
  expect(client.received()).toMatch(/^HTTP\/1\.1 408 /);
  expect(client.received()).toContain('"code":"body_timeout"');
});

/** Writes a byte of a body now and then, but no longer than the server reads. */
function drip({ socket, receivedBytes }: Awaited<ReturnType<typeof openTrickle>>): Disposable {
  // By the clock, and not by drops: a busy machine drops late, and what fails to be written takes an answer along
  // that is not read yet.
  const endAt = performance.now() + BODY_TIMEOUT_MS - DROP_MS;
  const dripping = setInterval(() => {
    if (performance.now() < endAt && receivedBytes() === 0) socket.write("1");
  }, DROP_MS);
  return {
    [Symbol.dispose]() {
      clearInterval(dripping);
    },
  };
}

test("[E2][B3] a body that trickles is refused when its time is over, and hundreds of them slow nobody down", async () => {
  using all = new DisposableStack();
  const clients = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const client = all.use(await openTrickle("/v1/topics/slow"));
      all.use(drip(client));
      return client;
    }),
  );
  const other = await send("POST", "/v1/topics/quick", '{"data":1}');
  expect(other.status).toBe(201);
  await until("all to be refused", () => clients.every(({ receivedBytes }) => receivedBytes() > 0));
  for (const { received } of clients) expect(received()).toMatch(/^HTTP\/1\.1 408 /);
});

test("[E2] a compressed bomb is refused, and never unpacked, on every door", async () => {
  const bomb = gzipSync(new Uint8Array(64 * 1024 * 1024));
  for (const path of DOORS) {
    for (const encoding of ["gzip", "br", "gzip, gzip", "x-unknown"]) {
      const { status, body } = await send("POST", path, bomb, { "content-encoding": encoding });
      expect([path, status, body["code"]]).toEqual([path, 415, "unsupported_encoding"]);
    }
  }
});

test("[E2] an address that is too long is refused before it is looked at", async () => {
  for (const path of [`/v1/topics/${"x".repeat(9_000)}`, `/healthz?${"x=1&".repeat(3_000)}`]) {
    const { status, body } = await send("GET", path);
    expect([status, body["code"]]).toEqual([414, "url_too_long"]);
    expect(JSON.stringify(body).length).toBeLessThan(1_000);
  }
});

test("[E2] headers that are too large are refused, many small ones like a large one", async () => {
  const many = Object.fromEntries(
    Array.from({ length: 600 }, (_, n) => [`x-${n}`, "y".repeat(90)]),
  );
  const large = { "x-large": "y".repeat(50 * 1024) };
  for (const headers of [many, large]) {
    const { status, body } = await send("GET", "/healthz", "", headers);
    expect([status, body["code"]]).toEqual([431, "headers_too_large"]);
  }
});

test("[E2][B4] a huge history request is refused, and a large one is a page", async () => {
  const event = JSON.stringify({ data: "x".repeat(10_000) });
  const batch = `[${Array.from({ length: 200 }, () => event).join()}]`;
  expect((await send("POST", "/v1/topics/history", batch)).status).toBe(201);
  for (const limit of ["1001", "999999999999999999999", "1e9", "-1", "0x10", "1001,1"]) {
    for (const path of ["/v1/topics/history", "/v1/rooms/history/messages"]) {
      expect((await send("GET", `${path}?limit=${limit}`)).status).toBe(400);
    }
    expect((await send("GET", `/v1/rooms/history/events?history=${limit}`)).status).toBe(400);
  }
  const { body } = await send("GET", "/v1/topics/history?limit=1000");
  expect(JSON.stringify(body).length).toBeLessThan(3 * 1024 * 1024);
});
