/** What whoever was sent away still learns, and pays: nothing, at every door that only looks or only speaks. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { sendRequest } from "../support/send-request.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { EVERYTHING, mint, now, SECRET } from "../support/tokens.ts";

let worker: RunningWorker;
let boss = "";
let names = 0;

beforeAll(async () => {
  worker = await startWorker({ AUTH_SECRET: SECRET, QUOTA_PUBLISHES_PER_DAY: "10" });
  boss = await mint(EVERYTHING, { sub: "boss" });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

const fresh = (kind: string): string => `${kind}-${(names += 1)}`;

async function call(
  method: string,
  path: string,
  token: string,
  { body, ...headers }: Readonly<Record<string, string>> = {},
) {
  const { port } = worker;
  const all = { host: "sluice.example", authorization: `Bearer ${token}`, ...headers };
  return await sendRequest({ port, method, path, headers: all, body: body ?? "" });
}

/** A token of somebody who may do everything, but was sent away from these. */
async function revokedAt(...paths: readonly string[]): Promise<string> {
  const sub = fresh("mallory");
  for (const path of paths) {
    const { status } = await call("POST", `${path}/revocations`, boss, {
      body: JSON.stringify({ sub }),
    });
    expect(status).toBe(201);
  }
  return await mint(EVERYTHING, { sub, iat: now() - 5 });
}

const EVENTS = { accept: "text/event-stream" };

test("[I8][I7] HEAD of an event stream is answered as GET would be, and leaves no reader behind", async () => {
  const [topic, other, room] = [fresh("topic"), fresh("topic"), fresh("room")];
  const mallory = await revokedAt(`/v1/topics/${topic}`, `/v1/rooms/${room}`);
  for (const path of [
    `/v1/topics/${topic}?format=sse`,
    `/v1/topics/${topic}`,
    `/v1/topics?topic=${topic}`,
    `/v1/topics?topic=${other}&topic=${topic}`,
    `/v1/rooms/${room}/events`,
    `/v1/rooms/${room}/messages`,
    `/v1/stream/${topic}?offset=-1&live=sse`,
  ]) {
    const refused = await call("HEAD", path, mallory, EVENTS);
    expect([path, refused.status]).toEqual([path, 403]);
    expect((await call("GET", path, mallory, EVENTS)).body["code"]).toBe("token_revoked");
    const open = await call("HEAD", path, boss, EVENTS);
    expect([path, open.status]).toEqual([path, path.startsWith("/v1/stream") ? 404 : 200]);
  }
  for (const path of [`/v1/topics/${topic}`, `/v1/topics/${other}`, `/v1/rooms/${room}`]) {
    const { body } = await call("GET", `${path}/stats`, boss);
    expect([path, body["connections"], body["rows"]]).toEqual([path, 0, 0]);
  }
});

test("[I7][S4] HEAD says as GET does that whoever has the end has everything", async () => {
  const topic = fresh("topic");
  const path = `/v1/topics/${topic}`;
  await call("POST", path, boss, { body: '{"data":1}' });
  const closed = await call("POST", `${path}/close`, boss);
  const end = { ...EVENTS, "last-event-id": String(closed.body["position"]) };
  expect((await call("HEAD", path, boss, EVENTS)).status).toBe(200);
  expect((await call("HEAD", path, boss, end)).status).toBe(204);
  expect((await call("HEAD", `${path}?format=sse`, boss, { ...end })).status).toBe(204);
});

test("[I8] what a topic holds is not told to a publisher who was sent away", async () => {
  const [texts, json] = [fresh("texts"), fresh("json")];
  await call("POST", `/v1/topics/${json}`, boss, { body: '{"data":1}' });
  const made = await call("PUT", `/v1/topics/${texts}`, boss, {
    body: '{"contentType":"text/plain"}',
  });
  expect(made.status).toBe(201);
  const mallory = await revokedAt(
    `/v1/topics/${texts}`,
    `/v1/topics/${json}`,
    "/v1/topics/nothing",
  );
  for (const name of [texts, json, "nothing"]) {
    for (const [type, body] of [
      ["text/plain", "no json"],
      ["text/plain", '{"data":1}'],
      ["text/html", "<p>"],
      ["application/json", '{"data":1}'],
      ["application/x-ndjson", '{"data":1}\n'],
    ] as const) {
      for (const door of ["topics", "stream"]) {
        if (door === "stream" && type === "application/x-ndjson") continue;
        const headers = { body, "content-type": type };
        const { status, body: said } = await call("POST", `/v1/${door}/${name}`, mallory, headers);
        expect([door, name, type, status, said["code"]]).toEqual([
          door,
          name,
          type,
          403,
          "token_revoked",
        ]);
      }
    }
  }
});

test("[E2][I8] what a revoked token was refused costs no publishes", async () => {
  const [topic, room, free] = [fresh("topic"), fresh("room"), fresh("free")];
  const mallory = await revokedAt(`/v1/topics/${topic}`, `/v1/rooms/${room}`);
  const events = '[{"data":1},{"data":2},{"data":3}]';
  for (let round = 0; round < 3; round += 1) {
    for (const [path, body, type] of [
      [`/v1/topics/${topic}`, events, "application/json"],
      [`/v1/topics/${topic}`, '{"data":1}\n{"data":2}\n', "application/x-ndjson"],
      [`/v1/stream/${topic}`, "[1,2,3]", "application/json"],
      [`/v1/rooms/${room}/messages`, '{"event":"a","payload":1}', "application/json"],
    ] as const) {
      const refused = await call("POST", path, mallory, { body, "content-type": type });
      expect([path, refused.status]).toEqual([path, 403]);
    }
    const batch = `[{"topic":"${topic}","data":1},{"topic":"${topic}","data":2}]`;
    const { status, body } = await call("POST", "/v1/topics", mallory, { body: batch });
    expect([status, JSON.stringify(body)]).toEqual([
      200,
      expect.stringContaining('"token_revoked"') as unknown,
    ]);
  }
  // All of them are left, to be used where the token counts.
  const ten = JSON.stringify(Array.from({ length: 10 }, () => ({ data: 1 })));
  expect((await call("POST", `/v1/topics/${free}`, mallory, { body: ten })).status).toBe(201);
  expect((await call("POST", `/v1/topics/${free}`, mallory, { body: '{"data":1}' })).status).toBe(
    429,
  );
});

test("[E2] what is refused under a key that was used costs no publishes, and is told so", async () => {
  const topic = fresh("topic");
  const token = await mint(EVERYTHING, { sub: fresh("writer") });
  const headers = { "content-type": "application/x-ndjson", "idempotency-key": "k" };
  const send = async (body: string, more = headers) =>
    await call("POST", `/v1/topics/${topic}`, token, { body, ...more });
  expect((await send('{"data":1}\n{"data":2}\n{"data":3}\n')).status).toBe(201);
  for (let round = 0; round < 3; round += 1) {
    const refused = await send('{"data":4}\n{"data":5}\n{"data":3}\n');
    expect(refused.body).toMatchObject({ code: "idempotency_conflict", line: 1, published: 0 });
    expect(refused.headers["ratelimit"]).toContain('"subject-publishes";r=7;');
  }
  const seven = JSON.stringify(Array.from({ length: 7 }, () => ({ data: 1 })));
  expect(
    (await send(seven, { "content-type": "application/json", "idempotency-key": "l" })).status,
  ).toBe(201);
});

test("[E2] what a stream refuses costs no publishes", async () => {
  const stream = `/v1/stream/${fresh("stream")}`;
  const token = await mint(EVERYTHING, { sub: fresh("writer") });
  const json = { "content-type": "application/json" };
  const send = async (method: string, more: Readonly<Record<string, string>>) =>
    await call(method, stream, token, { ...json, ...more });
  expect((await send("POST", { body: "[1,2]" })).status).toBe(404);
  expect((await send("PUT", { body: "[1,2]" })).status).toBe(201);
  expect((await send("PUT", { "content-type": "text/plain", body: "a" })).status).toBe(409);
  expect((await send("POST", { "content-type": "text/plain", body: "a" })).status).toBe(409);
  expect((await send("POST", { "stream-closed": "true", body: "[3]" })).status).toBe(204);
  const closed = await send("POST", { body: "[4,5]" });
  expect([closed.status, closed.body["code"]]).toEqual([409, "topic_closed"]);
  expect(closed.headers["ratelimit"]).toContain('"subject-publishes";r=7;');
});

test("[E2] NDJSON is published up to the line that there is no quota for, however it arrives", async () => {
  const topic = fresh("topic");
  const token = await mint(EVERYTHING, { sub: fresh("writer") });
  const lines = Array.from({ length: 14 }, (_, n) => `{"data":${n}}\n`).join("");
  const headers = { body: lines, "content-type": "application/x-ndjson" };
  const refused = await call("POST", `/v1/topics/${topic}`, token, headers);
  expect([refused.status, refused.body]).toMatchObject([
    429,
    { code: "quota_exceeded", quota: "subject-publishes", line: 11, published: 10 },
  ]);
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
  const { body } = await call("GET", `/v1/topics/${topic}/stats`, boss);
  expect(body["events"]).toBe(10);
});
