import { afterEach, expect, test, vi } from "vitest";
import { openLink, signLink } from "../../../src/auth/read-link.ts";
import { readAuthSettings } from "../../../src/auth/settings.ts";
import { readToken } from "../../../src/auth/token.ts";
import { mint, SECRET } from "../../support/tokens.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const OPENS = { generation: `gen_${"0".repeat(32)}`, epoch: "e1", expiresAt: 100 };

test("[E2] signatures are compared by the platform, in a time that tells nothing", async () => {
  const verify = vi.spyOn(crypto.subtle, "verify");
  const context = {
    settings: readAuthSettings({ AUTH_SECRET: SECRET }),
    now: Date.now() / 1_000,
    findKeys: () => Promise.reject(new Error("no keys in this test")),
  };
  const token = await mint({});
  await readToken(token, context);
  expect(verify).toHaveBeenCalledTimes(1);
  await expect(readToken(`${token.slice(0, -2)}AA`, context)).rejects.toMatchObject({
    code: "unauthorized",
  });
  expect(verify).toHaveBeenCalledTimes(2);
  const link = await signLink(OPENS, SECRET);
  await expect(openLink(link, { secret: SECRET, now: 99 })).resolves.toEqual({
    kind: "link",
    ...OPENS,
  });
  expect(verify).toHaveBeenCalledTimes(3);
  await expect(openLink(link, { secret: SECRET, now: 100 })).rejects.toMatchObject({
    code: "token_expired",
  });
  expect(verify).toHaveBeenCalledTimes(4);
});

test("[E2] a link's key is no token's key: neither signs for the other", async () => {
  const link = await signLink(OPENS, SECRET);
  const [, , , signature = ""] = link.split(".");
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(SECRET), algorithm, false, [
    "sign",
  ]);
  const text = link.slice(0, link.lastIndexOf("."));
  const plain = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  const base64 = btoa(String.fromCharCode(...plain))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
  expect(signature).not.toBe(base64.replaceAll("=", ""));
  const forged = `${text}.${base64.replaceAll("=", "")}`;
  await expect(openLink(forged, { secret: SECRET, now: 1 })).rejects.toMatchObject({
    code: "unauthorized",
  });
  const other = "another-secret-of-more-than-32-characters!";
  await expect(openLink(link, { secret: other, now: 1 })).rejects.toMatchObject({
    code: "unauthorized",
  });
  await expect(openLink(link, { secret: undefined, now: 1 })).rejects.toMatchObject({
    code: "unauthorized",
  });
});
