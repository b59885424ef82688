/** Tokens: what opens the doors of a Worker that has a secret or a key set, and what does not. */
import { type ServerResponse, createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { sign } from "hono/jwt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { openRawClient, postRequest } from "../support/raw-client.ts";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { answersWell } from "../support/upstream-scripts.ts";

const SECRET = "a-secret-of-more-than-thirty-two-characters";
const OTHER = "another-secret-of-more-than-32-characters!";
const DOORS = ["/api/chat", "/v1/chat/completions"] as const;
const now = (): number => Math.floor(Date.now() / 1000);
const claims = () => ({ sub: "alice", iat: now(), exp: now() + 600 });

let upstream: ScriptedUpstream;

beforeAll(async () => {
  upstream = await startUpstream(answersWell);
});

afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
});

function start(vars: Readonly<Record<string, string>>): Promise<RunningWorker> {
  return startWorker({
    OPENAI_BASE_URL: upstream.baseURL,
    OPENAI_MODEL: "test-model",
    DEFAULT_ACCESS: '{"can":{"generations/*":["run"]}}',
    ...vars,
  });
}

async function knock(worker: RunningWorker, authorization?: string): Promise<readonly number[]> {
  return await Promise.all(
    DOORS.map(async (door) => {
      const response = await fetch(worker.origin + door, {
        method: "POST",
        headers: authorization === undefined ? {} : { authorization },
        body: JSON.stringify({ messages: [{ role: "user", content: "Hello?" }] }),
      });
      const text = await response.text();
      if (response.status === 401) {
        expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
        // A genuine token is told that its time is over, so that a client gets a new one; no other is told why.
        const isLate = (JSON.parse(text) as { code: string }).code === "token_expired";
        expect(text).not.toMatch(
          isLate ? /signature|JwtToken/i : /expired|signature|algorithm|JwtToken/i,
        );
      }
      return response.status;
    }),
  );
}

const base64url = (value: unknown): string =>
  btoa(typeof value === "string" ? value : JSON.stringify(value))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

test("[E2][I8] with AUTH_SECRET only a good token opens /v1 and /api", async () => {
  await using worker = await start({ AUTH_SECRET: SECRET });
  upstream.reply(answersWell);
  const good = await sign(claims(), SECRET);
  const [header = "", payload = "", signature = ""] = good.split(".");
  const unsigned = `${base64url({ alg: "none", typ: "JWT" })}.${base64url(claims())}.`;
  const bad: Readonly<Record<string, string | undefined>> = {
    none: undefined,
    empty: "",
    "no scheme": good,
    "another scheme": `Basic ${good}`,
    garbage: "Bearer garbage",
    "two dots": "Bearer a.b.c",
    "wrong secret": `Bearer ${await sign(claims(), OTHER)}`,
    expired: `Bearer ${await sign({ ...claims(), exp: now() - 1 }, SECRET)}`,
    "expired and forged": `Bearer ${await sign({ ...claims(), exp: now() - 1 }, OTHER)}`,
    "for ever": `Bearer ${await sign({ ...claims(), exp: now() + 40 * 86_400 }, SECRET)}`,
    "made in the future": `Bearer ${await sign({ ...claims(), iat: now() + 600 }, SECRET)}`,
    "a long id": `Bearer ${await sign({ ...claims(), jti: "j".repeat(129) }, SECRET)}`,
    "a claim that is none": `Bearer ${await sign({ ...claims(), sluice: "all" }, SECRET)}`,
    "not yet valid": `Bearer ${await sign({ ...claims(), nbf: now() + 600 }, SECRET)}`,
    "without exp": `Bearer ${await sign({ sub: "alice", iat: now() }, SECRET)}`,
    "without iat": `Bearer ${await sign({ sub: "alice", exp: now() + 600 }, SECRET)}`,
    "without sub": `Bearer ${await sign({ iat: now(), exp: now() + 600 }, SECRET)}`,
    "empty sub": `Bearer ${await sign({ ...claims(), sub: "" }, SECRET)}`,
    "long sub": `Bearer ${await sign({ ...claims(), sub: "a".repeat(257) }, SECRET)}`,
    "sub as a number": `Bearer ${await sign({ ...claims(), sub: 7 }, SECRET)}`,
    "exp as text": `Bearer ${await sign({ sub: "alice", iat: now(), exp: String(now() + 600) as unknown as number }, SECRET)}`,
    "alg none": `Bearer ${unsigned}`,
    "alg none with a signature": `Bearer ${unsigned}${signature}`,
    "another alg of the same secret": `Bearer ${await sign(claims(), SECRET, "HS512")}`,
    "changed payload": `Bearer ${header}.${base64url({ ...claims(), sub: "root" })}.${signature}`,
    "no signature": `Bearer ${header}.${payload}.`,
    "cut signature": `Bearer ${good.slice(0, -4)}`,
    "very long": `Bearer ${header}.${"a".repeat(12_000)}.${signature}`,
  };
  for (const [name, authorization] of Object.entries(bad)) {
    expect([name, ...(await knock(worker, authorization))]).toEqual([name, 401, 401]);
  }
  expect(upstream.exchanges).toHaveLength(0);
  expect(await knock(worker, `Bearer ${good}`)).toEqual([200, 200]);
  expect(await knock(worker, `bearer ${good}`)).toEqual([200, 200]);
  const longest = await sign({ ...claims(), sub: "a".repeat(256) }, SECRET);
  expect(await knock(worker, `Bearer ${longest}`)).toEqual([200, 200]);
  // The caller's token is for us; the provider must not see it.
  for (const { headers } of upstream.exchanges) expect(headers.authorization).not.toContain(good);
  expect((await fetch(`${worker.origin}/healthz`)).status).toBe(200);
  expect(worker.logs.join("\n")).not.toContain(good);
});

test("[E2][I8] issuer and audience are required when they are configured", async () => {
  await using worker = await start({
    AUTH_SECRET: SECRET,
    AUTH_ISSUER: "https://issuer.example",
    AUTH_AUDIENCE: "sluice",
  });
  const knockWith = async (more: object) =>
    await knock(worker, `Bearer ${await sign({ ...claims(), ...more }, SECRET)}`);
  expect(await knockWith({})).toEqual([401, 401]);
  expect(await knockWith({ iss: "https://issuer.example" })).toEqual([401, 401]);
  expect(await knockWith({ iss: "https://evil.example", aud: "sluice" })).toEqual([401, 401]);
  expect(await knockWith({ iss: "https://issuer.example", aud: "other" })).toEqual([401, 401]);
  expect(await knockWith({ iss: "https://issuer.example", aud: ["other", "sluice"] })).toEqual([
    200, 200,
  ]);
});

const ALGORITHMS = {
  RS256: {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: "SHA-256",
  },
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  EdDSA: { name: "Ed25519" },
} as const;

async function makeKey(alg: keyof typeof ALGORITHMS) {
  const pair = (await crypto.subtle.generateKey(ALGORITHMS[alg], true, [
    "sign",
    "verify",
  ])) as CryptoKeyPair;
  const jwk = async (key: CryptoKey) =>
    ({
      ...((await crypto.subtle.exportKey("jwk", key)) as object),
      alg,
      kid: `key-${alg}`,
    }) as const;
  const spki = new Uint8Array(
    (await crypto.subtle.exportKey("spki", pair.publicKey)) as ArrayBuffer,
  );
  const base64 = btoa(String.fromCharCode(...spki)).replaceAll(/(.{64})/g, "$1\n");
  return {
    alg,
    kid: `key-${alg}`,
    secret: await jwk(pair.privateKey),
    shown: { ...(await jwk(pair.publicKey)), use: "sig" },
    pem: `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`,
  };
}

test("[E2][I8] with AUTH_JWKS_URL tokens of the listed keys count, and no secret made of them", async () => {
  const keys = await Promise.all((["RS256", "ES256", "EdDSA"] as const).map(makeKey));
  const issuer = await startIssuer((response) => {
    response.end(JSON.stringify({ keys: keys.map(({ shown }) => shown) }));
  });
  await using worker = await start({ AUTH_JWKS_URL: issuer.url });
  for (const { alg, kid, secret, shown, pem } of keys) {
    const good = await sign(claims(), secret as never, alg);
    expect([alg, ...(await knock(worker, `Bearer ${good}`))]).toEqual([alg, 200, 200]);
    const expired = await sign({ ...claims(), exp: now() - 1 }, secret as never, alg);
    expect(await knock(worker, `Bearer ${expired}`)).toEqual([401, 401]);
    // The public key is public: as an HMAC secret it would let anybody in.
    for (const text of [pem, pem.trim(), JSON.stringify(shown)]) {
      const forged = await signHmac({ alg: "HS256", typ: "JWT", kid }, text);
      expect(await knock(worker, `Bearer ${forged}`)).toEqual([401, 401]);
    }
    const relabelled = await signHmac({ alg, typ: "JWT", kid }, pem);
    expect(await knock(worker, `Bearer ${relabelled}`)).toEqual([401, 401]);
    const stranger = await makeKey(alg);
    expect(
      await knock(worker, `Bearer ${await sign(claims(), stranger.secret as never, alg)}`),
    ).toEqual([401, 401]);
    const nameless = await signHmac({ alg, typ: "JWT" }, pem);
    expect(await knock(worker, `Bearer ${nameless}`)).toEqual([401, 401]);
  }
  expect(await knock(worker)).toEqual([401, 401]);
  // All of them by one look at the issuer's keys; those known go on counting when it is away.
  expect(issuer.asked()).toBe(1);
  await issuer[Symbol.asyncDispose]();
  const [first] = keys;
  const token = first === undefined ? "" : await sign(claims(), first.secret as never, first.alg);
  expect(await knock(worker, `Bearer ${token}`)).toEqual([200, 200]);
});

test("[E2][I8] callers who wait for the issuer's keys do not depend on who asked first", async () => {
  const key = await makeKey("ES256");
  const waiting: ServerResponse[] = [];
  await using issuer = await startIssuer((response) => waiting.push(response));
  await using worker = await start({ AUTH_JWKS_URL: issuer.url });
  upstream.reply(answersWell);
  const authorization = `Bearer ${await sign(claims(), key.secret as never, key.alg)}`;
  using first = await openRawClient(
    worker.port,
    postRequest("/api/chat", { messages: [] }, { authorization }),
  );
  await until("the first caller's question", () => waiting.length > 0);
  const others = Array.from({ length: 5 }, () => knock(worker, authorization));
  first.socket.destroy();
  // Somebody without a token is answered meanwhile; by then the others are waiting too.
  expect(await knock(worker)).toEqual([401, 401]);
  for (const response of waiting) response.end(JSON.stringify({ keys: [key.shown] }));
  for (const statuses of await Promise.all(others)) expect(statuses).toEqual([200, 200]);
  expect(issuer.asked()).toBe(1);
});

test.each<readonly [string, (response: ServerResponse) => void]>([
  ["hangs up", (response) => void response.destroy()],
  ["answers 500", (response) => void response.writeHead(500).end("a secret trace")],
  ["shows a page", (response) => void response.end("<html>a secret trace</html>")],
])(
  "[E2][L5] while the issuer %s no token can be checked: 503, to be tried again",
  async (_name, reply) => {
    const key = await makeKey("ES256");
    await using issuer = await startIssuer(reply);
    await using worker = await start({ AUTH_JWKS_URL: issuer.url });
    const response = await fetch(`${worker.origin}/api/chat`, {
      method: "POST",
      headers: { authorization: `Bearer ${await sign(claims(), key.secret as never, key.alg)}` },
      body: JSON.stringify({ messages: [{ role: "user", content: "Hello?" }] }),
    });
    const text = await response.text();
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(response.headers.get("x-should-retry")).toBe("true");
    expect(JSON.parse(text)).toMatchObject({ code: "auth_unavailable" });
    // A stranger without a token is told nothing.
    expect(await knock(worker)).toEqual([401, 401]);
    await until("a line in the log", () => worker.logs.join().includes("auth_unavailable"));
    for (const seen of [text, worker.logs.join()]) {
      expect(seen).not.toContain("secret trace");
      expect(seen).not.toContain(issuer.url);
    }
  },
);

/** A server that shows keys. */
async function startIssuer(reply: (response: ServerResponse) => void) {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.setHeader("content-type", "application/json");
    reply(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function signHmac(header: object, secret: string): Promise<string> {
  const text = `${base64url(header)}.${base64url(claims())}`;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
    "sign",
  ]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  return `${text}.${base64url(String.fromCharCode(...signature))}`;
}

test("[E2] the rate limit binds callers with a token, each for himself", async () => {
  await using worker = await start({ AUTH_SECRET: SECRET });
  const alice = `Bearer ${await sign(claims(), SECRET)}`;
  const bob = `Bearer ${await sign({ ...claims(), sub: "bob" }, SECRET)}`;
  const statuses = new Set<number>();
  for (let round = 0; round < 130 && !statuses.has(429); round += 10) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => knock(worker, alice)));
    for (const status of answers.flat()) statuses.add(status);
  }
  expect(statuses).toEqual(new Set([200, 429]));
  expect(await knock(worker, bob)).toEqual([200, 200]);
});
