/** How long a token may last: no longer than what was revoked is remembered. */
import { sign } from "hono/jwt";
import { expect, test } from "vitest";
import { Revocations } from "../../../durable-objects/platform/revocations.ts";
import { readAuthSettings } from "../../../src/auth/settings.ts";
import { readToken } from "../../../src/auth/token.ts";
import { CLOCK_SKEW_S } from "../../../src/protocol/limits.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { claimsOf, mint, SECRET } from "../../support/tokens.ts";

const NOW = 1_800_000_000;
const MAX_S = 3_600;

async function read(token: string, now = NOW) {
  const settings = readAuthSettings({ AUTH_SECRET: SECRET, MAX_TOKEN_LIFETIME_S: String(MAX_S) });
  const findKeys = () => Promise.reject(new Error("no keys in this test"));
  return await readToken(token, { settings, now, findKeys });
}

async function isTaken(claims: Readonly<Record<string, number>>): Promise<boolean> {
  try {
    await read(await mint({}, claims));
    return true;
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "unauthorized" });
    return false;
  }
}

test("[E2][I8] a token that lasts too long never counts, not even in its last days", async () => {
  expect(await isTaken({ iat: NOW, exp: NOW + MAX_S })).toBe(true);
  expect(await isTaken({ iat: NOW, exp: NOW + MAX_S + 1 })).toBe(false);
  expect(await isTaken({ iat: NOW - MAX_S, exp: NOW + 1 })).toBe(false);
  expect(await isTaken({ iat: NOW - MAX_S + 1, exp: NOW + 1 })).toBe(true);
  expect(await isTaken({ iat: NOW + CLOCK_SKEW_S, exp: NOW + CLOCK_SKEW_S + MAX_S })).toBe(true);
  // Of one that does not say when it was made, nobody knows how long it lasts.
  const { iat: _iat, ...timeless } = claimsOf({}, { exp: NOW + 1 });
  await expect(read(await sign(timeless, SECRET, "HS256"))).rejects.toMatchObject({
    code: "unauthorized",
    detail: expect.stringContaining("`iat`") as unknown,
  });
});

test("[I8] a token that was taken back is over when its revocation is forgotten", async () => {
  const clock = new FakeClock(NOW * 1_000);
  const revocations = new Revocations(new MemorySql(), clock);
  const longest = { iat: NOW + CLOCK_SKEW_S, exp: NOW + CLOCK_SKEW_S + MAX_S };
  const { issuedAt, subject } = await read(await mint({}, longest));
  revocations.add({ subject }, MAX_S + CLOCK_SKEW_S);
  await clock.advance((MAX_S + CLOCK_SKEW_S - 1) * 1_000);
  expect(revocations.has({ subject, issuedAt })).toBe(true);
  await clock.advance(1_000);
  expect(revocations.has({ subject, issuedAt })).toBe(false);
  await expect(read(await mint({}, longest), clock.now() / 1_000)).rejects.toMatchObject({
    code: "token_expired",
  });
});
