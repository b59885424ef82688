/** Every route with every kind of token, against a Worker with a secret and one with public keys. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CAPABILITIES } from "../../src/protocol/capabilities.ts";
import { expectClean } from "../support/clean-error.ts";
import { makeApp } from "../support/make-app.ts";
import { ROUTES, type RouteRow } from "../support/route-table.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { TokenSocket } from "../support/token-socket.ts";
import {
  AUDIENCE,
  claimsOf,
  EVERYTHING,
  makeIssuer,
  mint,
  now,
  SECRET,
  signHmac,
  unsigned,
  without,
} from "../support/tokens.ts";
import { until } from "../support/until.ts";

let bySecret: RunningWorker;
let byKeys: RunningWorker;
const issuer = await makeIssuer();

beforeAll(async () => {
  bySecret = await startWorker({ AUTH_SECRET: SECRET, AUTH_AUDIENCE: AUDIENCE, LONG_POLL_MS: "5" });
  byKeys = await startWorker({
    AUTH_JWKS: issuer.jwks,
    AUTH_AUDIENCE: AUDIENCE,
    LONG_POLL_MS: "5",
    LINK_SECRET: SECRET,
  });
});

afterAll(async () => {
  await bySecret[Symbol.asyncDispose]();
  await byKeys[Symbol.asyncDispose]();
});

interface Answer {
  readonly status: number;
  readonly code: unknown;
  readonly missing: unknown;
}

async function ask(
  worker: RunningWorker,
  route: string,
  row: RouteRow,
  token?: string,
  method = route.split(" ")[0] ?? "",
) {
  const response = await fetch(worker.origin + row.path, {
    method,
    headers: {
      ...row.headers,
      // The address is braked too; in development its header may be anything.
      "cf-connecting-ip": route,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(row.body === undefined
      ? {}
      : { body: typeof row.body === "string" ? row.body : JSON.stringify(row.body) }),
  });
  const answer: Answer = { status: response.status, code: undefined, missing: undefined };
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  if (!isJson || response.ok || method === "HEAD") {
    await response.body?.cancel();
    return answer;
  }
  const text = await response.text();
  expectClean(text);
  const { code, missing } = JSON.parse(text) as Record<string, unknown>;
  return { ...answer, code, missing };
}

const rows = Object.entries(ROUTES).flatMap(([route, list]) =>
  list.map((row, nth) => ({ title: nth === 0 ? route : `${route} (${nth + 1})`, route, row })),
);

test("[I8] every route of the app has a row, and every row a route", () => {
  const routes = makeApp().routes.filter(({ method }) => method !== "ALL");
  const named = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  expect([...named].toSorted()).toEqual(Object.keys(ROUTES).toSorted());
});

describe.each([
  ["secret", () => bySecret],
  ["public keys", () => byKeys],
] as const)("[E2][I8] tokens by a %s", (kind, workerOf) => {
  let subjects = 0;
  const good = async (can: Readonly<Record<string, readonly string[]>>, more = {}) => {
    // Each its own, because the subject of many tokens is braked.
    const sub = `subject-${(subjects += 1)}`;
    const claims = claimsOf(can, { sub, ...more });
    return kind === "secret" ? await mint(can, { sub, ...more }) : await issuer.mint(claims);
  };

  /** Tokens that never count, whatever they say. */
  const forgeries = async (): Promise<Readonly<Record<string, string>>> => {
    const all = claimsOf(EVERYTHING);
    const header = { alg: "HS256", typ: "JWT", kid: issuer.kid };
    return {
      "wrong audience": await good(EVERYTHING, { aud: "others" }),
      "no audience": await good(EVERYTHING, { aud: undefined }),
      "not made at any time": await good(EVERYTHING, { iat: undefined }),
      "alg none": unsigned(all),
      "alg none with a signature": unsigned(all, (await good(EVERYTHING)).split(".")[2]),
      "the public key as a secret": await signHmac(header, all, issuer.pem),
      "the key set as a secret": await signHmac(header, all, issuer.jwks),
      "RS256 signed by the secret": await signHmac({ ...header, alg: "RS256" }, all, SECRET),
      "another secret": await signHmac(header, all, "another-secret-of-more-than-32-characters!"),
    };
  };

  test("a room's socket, and the frame that brings a new token", async () => {
    const room = `${workerOf().origin}/v1/rooms/frames`;
    const can = { "rooms/frames": ["read"] };
    const late = await good(EVERYTHING, { exp: now() - 1 });
    const others = { "rooms/frames": without("read"), "rooms/other": CAPABILITIES };
    using member = await TokenSocket.join(room, await good(can, { sub: "member" }));
    expect(member.of("welcome")).toHaveLength(1);
    const refusals = [
      ...Object.entries(await forgeries()).map((entry) => [...entry, "unauthorized"] as const),
      ["expired", late, "token_expired"],
      ["another's", await good(can), "forbidden"],
    ] as const;
    for (const [name, token, code] of refusals) {
      const before = member.errors.length;
      member.send({ kind: "refresh", token });
      await until(`a refusal of ${name}`, () => member.errors.length > before);
      expect([name, member.errors.at(-1)]).toEqual([name, code]);
      if (code === "forbidden") continue;
      using refused = await TokenSocket.join(room, token);
      expect([name, refused.closed, refused.frames]).toEqual([name, 1006, []]);
    }
    for (const token of [undefined, await good(others)]) {
      using refused = await TokenSocket.join(room, token);
      expect([refused.closed, refused.frames]).toEqual([1006, []]);
    }
    member.send({ kind: "refresh", token: await good(can, { sub: "member" }) });
    await until("the renewal", () => member.of("renewed").length === 1);
    member.send({ kind: "refresh", token: await good(others, { sub: "member" }) });
    await until("the end", () => member.closed !== undefined);
    expect(member.closed).toBe(4403);
  });

  test.each(rows)("$title", async ({ route, row }) => {
    const worker = workerOf();
    const answer = async (token?: string) => await ask(worker, route, row, token);
    const refused = { "no token": undefined, ...(await forgeries()) };
    if (row.needs === "public") {
      for (const token of Object.values(refused)) {
        expect((await answer(token)).status).toBe(row.answers);
      }
      return;
    }
    for (const [name, token] of Object.entries(refused)) {
      expect([name, await answer(token)]).toMatchObject([
        name,
        { status: 401, code: "unauthorized" },
      ]);
    }
    const late = await good(EVERYTHING, { exp: now() - 1 });
    expect(await answer(late)).toMatchObject({ status: 401, code: "token_expired" });
    if (row.needs === "token") {
      expect((await answer(await good({}))).status).toBe(row.answers);
      return;
    }
    const [target, capability] = row.needs;
    const [prefix] = target.split("/");
    const others = { [target]: without(capability), [`${prefix}/other`]: CAPABILITIES };
    if (route.startsWith("GET ")) {
      const head = async (sent?: string) => (await ask(worker, route, row, sent, "HEAD")).status;
      expect([await head(), await head(late), await head(await good(others))]).toEqual([
        401, 401, 403,
      ]);
    }
    for (const can of [{}, others]) {
      const answered = await answer(await good(can));
      expect(answered).toMatchObject({ status: 403, code: "forbidden" });
      expect(String(answered.missing)).toMatch(
        new RegExp(`^${target.replace("*", ".+")}:|^topics/news:1:admin$`),
      );
    }
    const right = await answer(await good({ [target]: [capability] }));
    expect(right.status).toBe(row.answers);
  });
});

test("[E2][I8] a token without our claim opens what the operator says, by default nothing, and is told so", async () => {
  const path = "/v1/topics/user:bare:inbox";
  const bare = { sub: "bare", sluice: undefined };
  const ask = async (worker: RunningWorker, where: string) => {
    const authorization = `Bearer ${await mint({}, bare)}`;
    const response = await fetch(worker.origin + where, { headers: { authorization } });
    const body = (await response.json()) as Record<string, unknown>;
    return { status: response.status, ...body };
  };
  expect(await ask(bySecret, path)).toMatchObject({
    status: 403,
    missing: "topics/user:bare:inbox:history",
    detail: expect.stringContaining("DEFAULT_ACCESS") as string,
  });
  await using open = await startWorker({
    AUTH_SECRET: SECRET,
    AUTH_AUDIENCE: AUDIENCE,
    DEFAULT_ACCESS: '{"can":{"topics/user:{sub}:**":["history"]}}',
  });
  expect(await ask(open, path)).toMatchObject({ status: 200, events: [] });
  expect(await ask(open, "/v1/topics/user:other:inbox")).toMatchObject({ status: 403 });
});
