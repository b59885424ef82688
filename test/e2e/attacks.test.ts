/** An attacker's afternoon: somebody with a token for one topic and one room who wants more. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectClean } from "../support/clean-error.ts";
import { openRawClient } from "../support/raw-client.ts";
import { sendRequest } from "../support/send-request.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { claimsOf, EVERYTHING, makeIssuer, mint, SECRET, signHmac } from "../support/tokens.ts";
import { until } from "../support/until.ts";

/** What nobody here may read. */
const CLASSIFIED = "classified-5f1c";
let worker: RunningWorker;
let subjects = 0;
let trapped = 0;
const trap = createServer((_request, response) => {
  trapped += 1;
  response.end("{}");
});

beforeAll(async () => {
  worker = await startWorker({ AUTH_SECRET: SECRET });
  trap.listen(0, "127.0.0.1");
  await once(trap, "listening");
  const admin = await mint(EVERYTHING, { sub: "boss" });
  for (const [path, body] of [
    ["/v1/topics/secret", { data: CLASSIFIED }],
    ["/v1/topics/news:secret", { data: CLASSIFIED }],
    ["/v1/rooms/secret/messages", { event: "chat", payload: CLASSIFIED }],
    ["/v1/topics/news", { data: "public" }],
  ] as const) {
    const { status } = await send("POST", path, { authorization: `Bearer ${admin}` }, body);
    expect([path, status]).toEqual([path, 201]);
  }
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  trap.closeAllConnections();
  trap.close();
});

const trapUrl = (): string => `http://127.0.0.1:${(trap.address() as AddressInfo).port}/`;

/** A token of the attacker, whose subject is another each time: one subject's calls are braked. */
async function fresh(): Promise<{ readonly authorization: string }> {
  const can = {
    "topics/news": ["read", "history", "publish"],
    "rooms/lobby": ["read", "history", "publish"],
  };
  return { authorization: `Bearer ${await mint(can, { sub: `eve-${(subjects += 1)}` })}` };
}

async function send(
  method: string,
  path: string,
  given?: Readonly<Record<string, string>>,
  body?: unknown,
) {
  const headers = given ?? (await fresh());
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const answer = await sendRequest({ port: worker.port, method, path, headers, body: text });
  const seen = JSON.stringify([answer.body, answer.headers]);
  expect(answer.status).toBeLessThan(500);
  if (answer.status >= 400) expectClean(seen);
  return { ...answer, seen };
}

test("[E2][I8] the token opens what it names, so that the refusals below mean something", async () => {
  expect((await send("GET", "/v1/topics/news")).seen).toContain("public");
  expect((await send("GET", "/v1/topics/secret")).body).toMatchObject({
    code: "forbidden",
    missing: "topics/secret:history",
  });
});

test.each([
  "/v1/topics/news/../secret",
  "/v1/topics/news/%2e%2e/secret",
  "/v1/topics/news%2f..%2fsecret",
  "/v1/topics/..%2ftopics%2fsecret",
  "/v1/topics/%2e%2e%2fsecret",
  "/v1/topics/news%2f../secret",
  "/v1/topics/./secret",
  "/v1/topics//secret",
  "//v1/topics/secret",
  "/v1/topics/secret%00news",
  "/v1/topics/news%00",
  "/v1/topics/news%0d%0ax-evil:%201",
  "/v1/topics/news%20",
  "/v1/topics/news:secret",
  "/v1/topics/news%3asecret",
  "/v1/topics/news%3Asecret",
  "/v1/topics/n%D0%B5ws",
  "/v1/topics/%EF%BD%8Eews",
  "/v1/topics/ne%E2%80%8Bws",
  "/v1/topics/news%CC%81",
  "/v1/topics/%C3%28",
  "/v1/topics/%ff",
  "/v1/topics/%",
  "/v1/topics/%252e%252e%252fsecret",
  "/v1/topics/news;secret",
  "/v1/topics/news\\..\\secret",
  "/v1/topics/secret?topic=news",
  "/v1/topics?topic=news&topic=secret",
  "/v1/topics?topic=secret",
  "/v1/stream/secret?offset=-1",
  "/v1/stream/news:secret?offset=-1",
  "/v1/rooms/secret/messages",
  "/v1/rooms/lobby%2f..%2fsecret/messages",
  "/v1/rooms/lobby/../secret/messages",
  "/v1/rooms/SECRET/messages",
  "/V1/topics/secret",
  "/v1/topics/news/secret",
  "/v1/topics/__proto__",
  "/v1/rooms/constructor/messages",
])("[E2][I8] no other name is reached by %s", async (path) => {
  for (const accept of ["application/json", "text/event-stream"]) {
    const answer = await send("GET", path, { ...(await fresh()), accept });
    expect([400, 401, 403, 404, 405]).toContain(answer.status);
    expect(answer.seen).not.toContain(CLASSIFIED);
    expect(answer.headers["x-evil"]).toBeUndefined();
  }
});

test("[E2] no fork and no batch carries something over from where one may not read", async () => {
  const mine = await mint({ "topics/mine": ["admin"], "topics/news": ["publish"] }, { sub: "eve" });
  const headers = { authorization: `Bearer ${mine}` };
  for (const from of [
    "/v1/stream/secret",
    "/v1/stream/news%3asecret",
    "/v1/stream/../stream/secret",
    trapUrl(),
  ]) {
    const answer = await send("PUT", "/v1/stream/mine", { ...headers, "stream-forked-from": from });
    expect([from, answer.status]).toEqual([
      from,
      from.startsWith("/v1/stream/..") || from.startsWith("http") ? 400 : 403,
    ]);
  }
  const batch = [
    { topic: "news", data: 1 },
    { topic: "secret", data: 2 },
  ];
  const answer = await send("POST", "/v1/topics", headers, batch);
  expect([answer.status, answer.body["missing"]]).toEqual([403, "topics/secret:publish"]);
  expect((await send("GET", "/v1/topics/news")).seen).not.toContain('"data":1');
});

test("[E2] a token of a megabyte is refused without being looked at", async () => {
  const huge = `${"a".repeat(1_000_000)}.b.c`;
  for (const header of [
    "authorization: Bearer ",
    "sec-websocket-protocol: sluice.v1, sluice.bearer.",
  ]) {
    using client = await openRawClient(
      worker.port,
      `GET /v1/topics/news HTTP/1.1\r\nhost: localhost\r\n${header}${huge}\r\nconnection: close\r\n\r\n`,
    );
    client.flow();
    await until("an answer or an end", () => client.isOver() || client.receivedBytes() > 0);
    expect(client.received()).not.toMatch(/^HTTP\/1\.1 [25]/);
  }
  // What fits a header but not a token.
  const large = { authorization: `Bearer ${"a".repeat(17_000)}.b.c` };
  expect((await send("GET", "/v1/topics/news", large)).status).toBe(401);
  expect((await send("GET", "/v1/topics/news")).status).toBe(200);
});

test("[E2] a token cannot say where its key is", async () => {
  const issuer = await makeIssuer();
  await using other = await startWorker({ AUTH_JWKS: issuer.jwks });
  const header = { typ: "JWT", kid: issuer.kid, jku: trapUrl(), x5u: trapUrl() };
  const jwk = { kty: "oct", k: btoa(SECRET), alg: "HS256" };
  for (const target of [worker, other]) {
    for (const alg of ["HS256", "RS256", "ES256", "none", "hs256", "HS512"]) {
      for (const more of [
        {},
        { jwk },
        { crit: ["exp"] },
        { kid: "../../dev/null" },
        { kid: trapUrl() },
      ]) {
        const forged = await signHmac(
          { ...header, ...more, alg },
          claimsOf(EVERYTHING),
          "attacker",
        );
        const response = await fetch(`${target.origin}/v1/topics/secret`, {
          headers: { authorization: `Bearer ${forged}` },
        });
        expectClean(await response.text());
        expect(response.status).toBe(401);
      }
    }
  }
  expect(trapped).toBe(0);
});

test("[E2] what a token says reaches no header and no line of the log as it is", async () => {
  const sub = 'ann\r\nx-evil: 1\r\n\r\n\u0000\u2028{"level":"error"}€';
  const evil = await mint({ "topics/news": ["read", "publish"], "rooms/lobby": ["read"] }, { sub });
  const headers = { authorization: `Bearer ${evil}` };
  expect((await send("POST", "/v1/topics/news", headers, { data: 1 })).status).toBe(201);
  const stream = await fetch(`${worker.origin}/v1/topics/news?format=sse`, { headers });
  expect([stream.status, stream.headers.get("x-evil")]).toEqual([200, null]);
  await stream.body?.cancel();
  const upgrade = {
    ...headers,
    upgrade: "websocket",
    connection: "upgrade",
    "sec-websocket-protocol": "sluice.v1",
  };
  expect((await send("GET", "/v1/rooms/lobby", upgrade)).body["code"]).toBe("bad_name");
  expect(worker.logs.join("\n")).not.toContain("x-evil");
});

test("[E2][S2] what is published forges no event", async () => {
  const text = "a\n\nevent: forged\ndata: b\r\rid: 9\r\n\r\nretry: 1\u2028event: forged";
  expect((await send("POST", "/v1/topics/news", undefined, { data: text })).status).toBe(201);
  for (const query of [
    "event=a%0aevent:forged",
    "event=a%0d%0adata:x",
    "event=end",
    "id=a%0ab",
    "id=%00",
  ]) {
    const headers = { ...(await fresh()), "content-type": "text/csv" };
    expect((await send("POST", `/v1/topics/news?${query}`, headers, "x")).status).toBe(400);
  }
  const response = await fetch(`${worker.origin}/v1/topics/news?format=sse`, {
    headers: await fresh(),
  });
  let seen = "";
  const decoder = new TextDecoder();
  const body: ReadableStream<Uint8Array> | null = response.body;
  for await (const bytes of body ?? []) {
    seen += decoder.decode(bytes, { stream: true });
    if (seen.includes("forged")) break;
  }
  expect(seen).toContain("forged");
  // Lines as an EventSource ends them; other line breaks are text to it.
  const lines = seen.split(/\r\n|\r|\n/);
  expect(lines.filter((line) => /^(event: ?forged|id: ?9|retry: ?1$)/.test(line))).toEqual([]);
});

test.each([
  '{"data":1,"__proto__":{"isAdmin":true}}',
  '{"data":{"__proto__":{"isAdmin":true}}}',
  '{"__proto__":{"data":1}}',
  '{"constructor":{"prototype":{"isAdmin":true}},"data":1}',
])("[E2] a body pollutes no prototype: %s", async (body) => {
  await send("POST", "/v1/topics/news", undefined, body);
  await send(
    "POST",
    "/v1/rooms/lobby/messages",
    undefined,
    body.replaceAll('"data"', '"payload"').replace("{", '{"event":"chat",'),
  );
  expect((await send("GET", "/v1/topics/secret")).status).toBe(403);
  expect((await send("DELETE", "/v1/topics/news")).status).toBe(403);
  const plain = await send("POST", "/v1/topics/news", undefined, { data: {} });
  expect(plain.status).toBe(201);
});

test("[E2] nothing in a request makes the server call an address", async () => {
  const url = trapUrl();
  const headers = {
    authorization: `Bearer ${await mint(EVERYTHING, { sub: "boss", iss: url })}`,
    "x-forwarded-host": url,
    forwarded: `host=${url}`,
    "stream-forked-from": url,
    referer: url,
  };
  const values = {
    baseURL: url,
    base_url: url,
    callback: url,
    webhook: url,
    AUTH_JWKS_URL: url,
    url,
  };
  for (const path of [
    "/api/chat",
    "/v1/chat/completions",
    "/v1/topics/news",
    "/v1/jobs/demo",
    "/v1/tickets",
  ]) {
    await send("POST", path, headers, { ...values, messages: [{ role: "user", content: url }] });
  }
  await send("PUT", "/v1/stream/x", headers);
  expect(trapped).toBe(0);
});
