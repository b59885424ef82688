import { readFileSync } from "node:fs";
import { sign } from "hono/jwt";
import { describe, expect, it } from "vitest";
import {
  ADDRESS_RATE_PER_MINUTE,
  RATE_PER_MINUTE,
  RATE_PERIOD_SECONDS,
} from "../../src/protocol/limits.ts";
import { systemClock } from "../../src/stream/clock.ts";
import { makeApp } from "../support/make-app.ts";

const AUTH_SECRET = "a-secret-of-more-than-thirty-two-characters";
const DEFAULT_ACCESS = '{"can":{"generations/*":["run"]}}';
const app = makeApp({ clock: systemClock });

/** A binding that lets each key pass so often. */
function makeLimiter(limit: number) {
  const counts = new Map<string, number>();
  const limiter = {
    limit: async ({ key }: { readonly key: string }) => {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      return { success: (counts.get(key) ?? 0) <= limit };
    },
  };
  return { counts, limiter };
}

interface Caller {
  readonly address?: string;
  readonly subject?: string;
}

async function call(env: object, { address, subject }: Caller): Promise<Response> {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const token =
    subject === undefined
      ? undefined
      : await sign({ sub: subject, iat: exp - 600, exp }, AUTH_SECRET, "HS256");
  // What comes after the brakes is a bad request.
  return await app.request(
    "http://localhost/api/chat",
    {
      method: "POST",
      headers: {
        ...(address === undefined ? {} : { "cf-connecting-ip": address }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: "{}",
    },
    env,
  );
}

describe("[E2] rate limits", () => {
  it("[E2] an address is braked before its token is looked at", async () => {
    const { counts, limiter } = makeLimiter(2);
    const env = { AUTH_SECRET, DEFAULT_ACCESS, ADDRESS_RATE_LIMITER: limiter };
    const statuses: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      statuses.push((await call(env, { address: "192.0.2.1" })).status);
    }
    expect(statuses).toEqual([401, 401, 429, 429]);
    expect((await call(env, { address: "192.0.2.1", subject: "alice" })).status).toBe(429);
    expect((await call(env, { address: "192.0.2.2", subject: "alice" })).status).toBe(400);
    expect(Object.fromEntries(counts)).toEqual({ "192.0.2.1": 5, "192.0.2.2": 1 });
    const refused = await call(
      { ...env, ADDRESS_RATE_PER_MINUTE: "3000" },
      { address: "192.0.2.1" },
    );
    expect(refused.headers.get("ratelimit-policy")).toBe('"address-rate";q=3000;w=60');
    expect(refused.headers.get("ratelimit")).toBe('"address-rate";r=0;t=60');
  });

  it("[E2] addresses of one network are one caller", async () => {
    const { counts, limiter } = makeLimiter(1);
    const env = { AUTH_SECRET, DEFAULT_ACCESS, ADDRESS_RATE_LIMITER: limiter };
    expect((await call(env, { address: "2001:db8::1", subject: "alice" })).status).toBe(400);
    expect((await call(env, { address: "2001:db8::2", subject: "alice" })).status).toBe(429);
    expect(counts.size).toBe(1);
  });

  it("[E2] what is told is what wrangler.toml sets", () => {
    const file = readFileSync("wrangler.toml", "utf8");
    const limitOf = (binding: string) =>
      new RegExp(`name = "${binding}"[^[]*limit = (\\d+), period = (\\d+)`).exec(file)?.slice(1);
    expect(limitOf("RATE_LIMITER")?.map(Number)).toEqual([RATE_PER_MINUTE, RATE_PERIOD_SECONDS]);
    expect(limitOf("ADDRESS_RATE_LIMITER")?.map(Number)).toEqual([
      ADDRESS_RATE_PER_MINUTE,
      RATE_PERIOD_SECONDS,
    ]);
  });

  it("[E2] a subject is braked wherever it calls from, and each for itself", async () => {
    const { limiter } = makeLimiter(1);
    const env = { AUTH_SECRET, DEFAULT_ACCESS, RATE_LIMITER: limiter };
    expect((await call(env, { address: "192.0.2.1", subject: "alice" })).status).toBe(400);
    const refused = await call(env, { address: "192.0.2.2", subject: "alice" });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(refused.headers.get("ratelimit-policy")).toBe('"subject-rate";q=120;w=60');
    expect(refused.headers.get("ratelimit")).toBe('"subject-rate";r=0;t=60');
    expect(await refused.json()).toMatchObject({ code: "rate_limited", quota: "subject-rate" });
    expect((await call(env, { subject: "bob" })).status).toBe(400);
    // A bad token counts for nobody.
    expect((await call(env, {})).status).toBe(401);
  });

  it("[E2] nobody is braked while only this machine is served", async () => {
    const { counts, limiter } = makeLimiter(0);
    const env = { RATE_LIMITER: limiter, ADDRESS_RATE_LIMITER: limiter };
    expect((await call(env, { address: "127.0.0.1" })).status).toBe(400);
    expect(counts.size).toBe(0);
  });
});
