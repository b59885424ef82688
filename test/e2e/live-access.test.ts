/** Tokens on connections that are open: their end, a new one, and one that is taken back. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CLOCK_SKEW_S } from "../../src/protocol/limits.ts";
import { chunk, ROLE } from "../support/openai-events.ts";
import { startUpstream } from "../support/scripted-upstream.ts";
import { stallsAfter } from "../support/upstream-scripts.ts";
import { openRawClient } from "../support/raw-client.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { claimsOf, makeIssuer, mint, now, SECRET, signHmac } from "../support/tokens.ts";
import { TokenSocket } from "../support/token-socket.ts";
import { until } from "../support/until.ts";

const ALL = { "rooms/**": ["admin"], "topics/**": ["admin"], "generations/**": ["admin"] };
let worker: RunningWorker;
let names = 0;

beforeAll(async () => {
  worker = await startWorker({ AUTH_SECRET: SECRET });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

const fresh = (kind: string): string => `${kind}-${(names += 1)}`;
const roomUrl = (room: string): string => `${worker.origin}/v1/rooms/${room}`;

/**
 * Milliseconds after its end in which a token's connections are closed, on a machine that is busy with other tests. Looks
 * that happen anyway are minutes apart.
 */
const LATE_MS = 10_000;

async function call(path: string, token: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  return await fetch(worker.origin + path, { ...init, headers });
}

async function post(path: string, token: string, body: unknown): Promise<Response> {
  return await call(path, token, { method: "POST", body: JSON.stringify(body) });
}

/** Reads a stream to its end, and says when that was. */
async function readAll(response: Response): Promise<{ text: string; at: number }> {
  const text = await response.text();
  return { text, at: Date.now() };
}

test("[I8] a room closes a member's socket at its token's end, with a code that means: refresh", async () => {
  const room = fresh("room");
  const exp = now() + 4;
  using ann = await TokenSocket.join(
    roomUrl(room),
    await mint({ [`rooms/${room}`]: ["read", "publish"] }, { sub: "ann", exp }),
  );
  using bob = await TokenSocket.join(roomUrl(room), await mint(ALL, { sub: "bob" }));
  expect(ann.of("welcome")[0]?.expiresIn).toBeGreaterThan(0);
  await until("the end", () => ann.closed !== undefined);
  expect(ann.closed).toBe(4401);
  expect(ann.closedAt - exp * 1_000).toBeGreaterThanOrEqual(-50);
  expect(ann.closedAt - exp * 1_000).toBeLessThan(LATE_MS);
  expect(bob.closed).toBeUndefined();
});

test("[I8] a refresh frame keeps the connection beyond the end of its first token", async () => {
  const room = fresh("room");
  const exp = now() + 4;
  const can = { [`rooms/${room}`]: ["read"] };
  using ann = await TokenSocket.join(roomUrl(room), await mint(can, { sub: "ann", exp }));
  ann.publish("m1");
  await until("a refusal", () => ann.errors.length > 0);
  expect(ann.errors).toEqual(["forbidden"]);
  for (const [token, code] of [
    ["a.b.c", "unauthorized"],
    [await mint(can, { sub: "ann", exp: now() - 1 }), "token_expired"],
    [await mint(ALL, { sub: "bob" }), "forbidden"],
  ] as const) {
    const before = ann.errors.length;
    ann.send({ kind: "refresh", token });
    await until("a refusal", () => ann.errors.length > before);
    expect(ann.errors.at(-1)).toBe(code);
  }
  const more = await mint({ [`rooms/${room}`]: ["read", "publish"] }, { sub: "ann" });
  ann.send({ kind: "refresh", token: more });
  await until("the renewal", () => ann.of("renewed").length === 1);
  expect(ann.of("renewed")[0]?.expiresIn).toBeGreaterThan(500_000);
  await until("the old end", () => Date.now() > exp * 1_000 + 500);
  ann.publish("m2", "still here");
  await until("the message", () => ann.payloads.includes("still here"));
  expect(ann.closed).toBeUndefined();
});

test.each([
  ["a topic", "/v1/topics/NAME?format=sse", "topics/NAME"],
  ["several topics", "/v1/topics?topic=NAME&topic=NAME-b", "topics/NAME*"],
  ["a room", "/v1/rooms/NAME/events", "rooms/NAME"],
])(
  "[I8][S4] the event stream of %s says that its token has ended, and ends",
  async (_n, path, target) => {
    const name = fresh("live");
    const exp = now() + 4;
    const token = await mint({ [target.replace("NAME", name)]: ["read"] }, { exp, sub: name });
    const response = await call(path.replaceAll("NAME", name), token);
    expect(response.status).toBe(200);
    const { text, at } = await readAll(response);
    expect(text).toMatch(/event: error\ndata: \{"code":"token_expired"/);
    expect(at - exp * 1_000).toBeGreaterThanOrEqual(-50);
    expect(at - exp * 1_000).toBeLessThan(LATE_MS);
    expect((await call(path.replaceAll("NAME", name), token)).status).toBe(401);
  },
);

test("[I8] a revocation by subject reaches who is here and who comes, and no other", async () => {
  const room = fresh("room");
  const topic = fresh("topic");
  const admin = await mint(ALL, { sub: "boss" });
  const can = {
    [`rooms/${room}`]: ["read", "publish", "history"],
    [`topics/${topic}`]: ["read", "publish", "history"],
  };
  const iat = now() - 5;
  const mallory = await mint(can, { sub: "mallory", iat });
  const alice = await mint(can, { sub: "alice", iat });
  using bad = await TokenSocket.join(roomUrl(room), mallory);
  using good = await TokenSocket.join(roomUrl(room), alice);
  const stream = await call(`/v1/topics/${topic}?format=sse`, mallory);
  const viewer = await call(`/v1/rooms/${room}/events`, mallory);
  const revocation = { sub: "mallory" };
  const inRoom = await post(`/v1/rooms/${room}/revocations`, admin, revocation);
  expect([inRoom.status, await inRoom.json()]).toMatchObject([201, { closed: 2 }]);
  const onTopic = await post(`/v1/topics/${topic}/revocations`, admin, revocation);
  expect([onTopic.status, await onTopic.json()]).toMatchObject([201, { closed: 1 }]);
  await until("the close", () => bad.closed !== undefined);
  expect(bad.closed).toBe(4403);
  for (const { text } of [await readAll(stream), await readAll(viewer)]) {
    expect(text).toContain('"code":"token_revoked"');
  }
  for (const [path, body] of [
    [`/v1/rooms/${room}/events`, undefined],
    [`/v1/rooms/${room}/messages`, undefined],
    [`/v1/rooms/${room}/presence`, undefined],
    [`/v1/topics/${topic}?format=sse`, undefined],
    [`/v1/topics/${topic}?format=json`, undefined],
    [`/v1/stream/${topic}?offset=-1`, undefined],
    [`/v1/rooms/${room}/messages`, { event: "chat", payload: 1 }],
    [`/v1/topics/${topic}`, { data: 1 }],
  ] as const) {
    const answer = body === undefined ? await call(path, mallory) : await post(path, mallory, body);
    expect([path, answer.status, await answer.json()]).toMatchObject([
      path,
      403,
      { code: "token_revoked" },
    ]);
  }
  // What cannot be appended is not told whether the stream is closed.
  const wrong = await fetch(`${worker.origin}/v1/stream/${topic}`, {
    method: "POST",
    headers: { authorization: `Bearer ${mallory}`, "content-type": "application/json" },
    body: "{",
  });
  expect([wrong.status, await wrong.json()]).toMatchObject([403, { code: "token_revoked" }]);
  using again = await TokenSocket.join(roomUrl(room), mallory);
  expect(again.frames).toEqual([]);
  expect(
    (await post(`/v1/rooms/${room}/messages`, alice, { event: "chat", payload: "hi" })).status,
  ).toBe(201);
  await until("the message", () => good.payloads.includes("hi"));
  // What was made since, whatever the issuer's clock says, was made by somebody who knew.
  await until("a later token to count", async () => {
    const later = await mint(can, { sub: "mallory", iat: now() + CLOCK_SKEW_S });
    return (await post(`/v1/topics/${topic}`, later, { data: 1 })).status === 201;
  });
});

test("[I8] a revocation by token id leaves other tokens of the subject alone", async () => {
  const room = fresh("room");
  const can = { [`rooms/${room}`]: ["read"] };
  const stolen = await mint(can, { sub: "ann", jti: "stolen" });
  using thief = await TokenSocket.join(roomUrl(room), stolen);
  using ann = await TokenSocket.join(roomUrl(room), await mint(can, { sub: "ann", jti: "own" }));
  const admin = await mint(ALL, { sub: "boss" });
  const answer = await post(`/v1/rooms/${room}/revocations`, admin, { jti: "stolen" });
  expect(await answer.json()).toMatchObject({ closed: 1 });
  await until("the close", () => thief.closed !== undefined);
  expect(ann.closed).toBeUndefined();
  ann.send({ kind: "refresh", token: stolen });
  await until("a refusal", () => ann.errors.length > 0);
  expect(ann.errors).toEqual(["token_revoked"]);
  for (const body of [{}, { sub: "" }, { sub: "a", jti: "b" }, { sub: 1 }, []]) {
    expect((await post(`/v1/rooms/${room}/revocations`, admin, body)).status).toBe(400);
  }
});

test("[I8][L5] a stored answer that is read when its reader's token ends says so, and can be read on", async () => {
  await using upstream = await startUpstream(stallsAfter([ROLE, chunk({ content: "so far" })]));
  await using other = await startWorker({
    AUTH_SECRET: SECRET,
    OPENAI_BASE_URL: upstream.baseURL,
    OPENAI_MODEL: "test-model",
  });
  const can = { "generations/*": ["run", "read"] };
  const exp = now() + 4;
  const body = JSON.stringify({
    stream: true,
    store: true,
    messages: [{ role: "user", content: "?" }],
  });
  const authorization = `Bearer ${await mint(can, { sub: "ann", exp })}`;
  const url = `${other.origin}/v1/chat/completions`;
  const response = await fetch(url, { method: "POST", headers: { authorization }, body });
  const id = response.headers.get("sluice-generation") ?? "";
  const { text, at } = await readAll(response);
  expect(text).toContain("so far");
  expect(text).toContain('"code":"token_expired"');
  expect(text).not.toContain("[DONE]");
  expect(at - exp * 1_000).toBeLessThan(LATE_MS);
  const again = { authorization: `Bearer ${await mint(can, { sub: "ann" })}` };
  const shown = (await (await fetch(`${url}/${id}`, { headers: again })).json()) as object;
  expect(shown).toMatchObject({ generation: { state: "running" } });
});

test("[I8] an export ends in words when its reader's token does", async () => {
  const topic = fresh("export");
  const admin = await mint(ALL, { sub: "boss" });
  const data = "x".repeat(200_000);
  for (let n = 0; n < 60; n += 1) {
    expect((await post(`/v1/topics/${topic}`, admin, { data })).status).toBe(201);
  }
  const exp = now() + 4;
  const token = await mint({ [`topics/${topic}`]: ["history"] }, { sub: "slow", exp });
  const response = await fetch(`${worker.origin}/v1/topics/${topic}`, {
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/x-ndjson",
      "accept-encoding": "identity",
    },
  });
  const body: ReadableStream<Uint8Array> | null = response.body;
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    // Reads no further until its time is over; the Worker waits with it.
    await until("the token's end", () => Date.now() > exp * 1_000);
  }
  const lines = text.trimEnd().split("\n");
  // Sockets hold some of it; what was not asked for by then is not given.
  expect(lines.length).toBeLessThan(60);
  expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ error: { code: "token_expired" } });
  expect((await call(`/v1/topics/${topic}`, token)).status).toBe(401);
});

test.each(["its token ends", "it is taken back"])(
  "[I8] who waits by long-poll when %s is given nothing that comes then",
  async (how) => {
    const topic = fresh("poll");
    const admin = await mint(ALL, { sub: "boss" });
    await post(`/v1/topics/${topic}`, admin, { data: "before" });
    const exp = now() + (how === "its token ends" ? 4 : 600);
    const token = await mint({ [`topics/${topic}`]: ["read"] }, { sub: "ann", exp });
    const path = `/v1/stream/${topic}?offset=now&live=long-poll`;
    const answer = call(path, token);
    if (how === "it is taken back") {
      await until("the reader to be there", async () => {
        const stats = (await (await call(`/v1/topics/${topic}/stats`, admin)).json()) as object;
        return "live" in stats && stats.live === 1;
      });
      await post(`/v1/topics/${topic}/revocations`, admin, { sub: "ann" });
    }
    const { status } = await answer;
    expect(status).toBe(how === "its token ends" ? 401 : 403);
    expect(Date.now() - exp * 1_000).toBeLessThan(LATE_MS);
  },
);

test("[I8] an upload that outlives its token does not end its topic", async () => {
  const topic = fresh("upload");
  const exp = now() + 4;
  const token = await mint({ [`topics/${topic}`]: ["admin"] }, { sub: "ann", exp });
  const head =
    `POST /v1/topics/${topic}?close=completed HTTP/1.1\r\nhost: 127.0.0.1:${worker.port}\r\n` +
    `authorization: Bearer ${token}\r\ncontent-type: application/x-ndjson\r\n` +
    "transfer-encoding: chunked\r\n\r\n";
  using client = await openRawClient(worker.port, `${head}b\r\n{"data":1}\n\r\n`);
  client.flow();
  await until("the token's end", () => Date.now() > exp * 1_000);
  client.socket.write("1\r\n\n\r\n0\r\n\r\n");
  await until("the answer", () => client.received().includes("\r\n\r\n{"));
  expect(client.received()).toMatch(/^HTTP\/1.1 401 .*"code":"token_expired"/s);
  const admin = await mint(ALL, { sub: "boss" });
  const page = await (await call(`/v1/topics/${topic}`, admin)).json();
  expect(page).toMatchObject({ closed: false, events: [{ data: 1 }] });
});

test("[I8] a room takes a new token that is signed by a published key", async () => {
  const issuer = await makeIssuer();
  let asked = 0;
  const server = createServer((_request, answer) => {
    asked += 1;
    answer.setHeader("content-type", "application/json");
    answer.end(issuer.jwks);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    await using other = await startWorker({ AUTH_JWKS_URL: `http://127.0.0.1:${port}/jwks.json` });
    const claims = (name: string) => claimsOf({ "rooms/**": ["read"] }, { sub: name });
    for (const room of ["one", "two"]) {
      const url = `${other.origin}/v1/rooms/${room}`;
      using ann = await TokenSocket.join(url, await issuer.mint(claims("ann")));
      ann.send({ kind: "refresh", token: await issuer.mint(claims("ann")) });
      await until("the renewal", () => ann.of("renewed").length === 1);
      const forged = await signHmac({ alg: "HS256", kid: issuer.kid }, claims("ann"), issuer.pem);
      ann.send({ kind: "refresh", token: forged });
      await until("a refusal", () => ann.errors.length === 1);
      expect(ann.errors).toEqual(["unauthorized"]);
    }
    // Once by the Worker, and once by each room.
    expect(asked).toBe(3);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
