/** How long a token may last: no longer than what was revoked is remembered. */
import { expect, test } from "vitest";
import { readAuthSettings } from "../../../src/auth/settings.ts";
import { readToken } from "../../../src/auth/token.ts";
import { CLOCK_SKEW_S } from "../../../src/protocol/limits.ts";
import { mint, SECRET } from "../../support/tokens.ts";

const NOW = 1_800_000_000;
const MAX_S = 3_600;

async function isTaken(claims: Readonly<Record<string, number>>): Promise<boolean> {
  const settings = readAuthSettings({ AUTH_SECRET: SECRET, MAX_TOKEN_LIFETIME_S: String(MAX_S) });
  const findKeys = () => Promise.reject(new Error("no keys in this test"));
  try {
    await readToken(await mint({}, claims), { settings, now: NOW, findKeys });
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
  // Nobody knows when it was made.
  expect(await isTaken({ exp: NOW + MAX_S })).toBe(true);
  expect(await isTaken({ exp: NOW + MAX_S + 1 })).toBe(false);
});
