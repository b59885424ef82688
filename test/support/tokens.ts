/** Owns tokens in tests: good ones, and those that an attacker would try. Refuses to send them. */
import { sign } from "hono/jwt";
import { CAPABILITIES, type Capability, KINDS } from "../../src/protocol/capabilities.ts";

/** A secret of enough characters. */
export const SECRET = "a-secret-of-more-than-thirty-two-characters";

/** What the tokens are for. */
export const AUDIENCE = "sluice";

/** Seconds since 1970. */
export const now = (): number => Math.floor(Date.now() / 1_000);

/** Everything on everything. */
export const EVERYTHING = Object.fromEntries(KINDS.map((kind) => [`${kind}/**`, ["admin"]]));

/** Claims of a token that counts for ten minutes. */
export function claimsOf(
  can: Readonly<Record<string, readonly string[]>>,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return { sub: "alice", aud: AUDIENCE, iat: now(), exp: now() + 600, sluice: { can }, ...more };
}

/** A token of {@link SECRET}. */
export async function mint(
  can: Readonly<Record<string, readonly string[]>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return await sign(claimsOf(can, more), SECRET, "HS256");
}

/** All capabilities but one, and but the one that holds all. */
export function without(capability: Capability): readonly Capability[] {
  return CAPABILITIES.filter((one) => one !== capability && one !== "admin");
}

function base64url(value: unknown): string {
  return btoa(typeof value === "string" ? value : JSON.stringify(value))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** A token with this header, signed by HMAC whatever the header says. */
export async function signHmac(header: object, claims: object, secret: string): Promise<string> {
  const text = `${base64url(header)}.${base64url(claims)}`;
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, [
    "sign",
  ]);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  return `${text}.${base64url(String.fromCharCode(...signature))}`;
}

/** A token that says it needs no signature. */
export function unsigned(claims: object, signature = ""): string {
  return `${base64url({ alg: "none", typ: "JWT" })}.${base64url(claims)}.${signature}`;
}

/** A key pair of an issuer: what it signs with, what it shows, and that as an attacker would use it. */
export async function makeIssuer() {
  const algorithm = {
    name: "RSASSA-PKCS1-v1_5",
    modulusLength: 2048,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: "SHA-256",
  };
  const pair = (await crypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ])) as CryptoKeyPair;
  const name = { alg: "RS256", kid: "key-1" };
  const secret = {
    ...((await crypto.subtle.exportKey("jwk", pair.privateKey)) as object),
    ...name,
  };
  const shown = {
    ...((await crypto.subtle.exportKey("jwk", pair.publicKey)) as object),
    ...name,
    use: "sig",
  };
  const spki = new Uint8Array(
    (await crypto.subtle.exportKey("spki", pair.publicKey)) as ArrayBuffer,
  );
  const base64 = btoa(String.fromCharCode(...spki)).replaceAll(/(.{64})/g, "$1\n");
  return {
    kid: "key-1",
    jwks: JSON.stringify({ keys: [shown] }),
    pem: `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`,
    mint: async (claims: object) => await sign({ ...claims }, secret as never, "RS256"),
  };
}
