/**
 * Owns links that open one answer to whoever has them: what is signed, with which key, and until when it
 * counts. Refuses to know answers. A link cannot be taken back; its answer can be deleted.
 */
import { SluiceError } from "../protocol/errors.ts";
import { MAX_TOKEN_CHARS } from "../protocol/limits.ts";
import type { LinkHolder } from "./principal.ts";

/** What a link opens. */
type Opens = Omit<LinkHolder, "kind">;

/** A signature for this and nothing else can be made with the key: tokens have another. */
const PURPOSE = "sluice read link v1";

const HMAC = { name: "HMAC", hash: "SHA-256" };

/** The link to an answer, as it stands in a query. */
export async function signLink(opens: Opens, secret: string): Promise<string> {
  const text = describe(opens);
  const signature = await crypto.subtle.sign("HMAC", await keyOf(secret), encode(text));
  return `${text}.${toBase64Url(new Uint8Array(signature))}`;
}

/**
 * Who has this link.
 *
 * @throws SluiceError `unauthorized` for one that was not signed here, `token_expired`.
 */
export async function openLink(
  link: string,
  { secret, now }: { readonly secret: string | undefined; readonly now: number },
): Promise<LinkHolder> {
  const parts = /^(gen_[0-9a-f]{32})\.([0-9A-Za-z-]{1,64})\.(\d{1,12})\.([\w-]{43})$/.exec(link);
  if (secret === undefined || parts === null || link.length > MAX_TOKEN_CHARS) {
    throw new SluiceError("unauthorized");
  }
  const [, generation = "", epoch = "", expires = "", signature = ""] = parts;
  const opens = { generation, epoch, expiresAt: Number(expires) };
  const isGenuine = await crypto.subtle.verify(
    "HMAC",
    await keyOf(secret),
    fromBase64Url(signature),
    encode(describe(opens)),
  );
  if (!isGenuine) throw new SluiceError("unauthorized");
  if (opens.expiresAt <= now) throw new SluiceError("token_expired");
  return { kind: "link", ...opens };
}

function describe({ generation, epoch, expiresAt }: Opens): string {
  return `${generation}.${epoch}.${expiresAt}`;
}

/** A key of our own for links, so that no token is a link and no link a token. */
async function keyOf(secret: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", encode(secret), "HKDF", false, [
    "deriveKey",
  ]);
  const derivation = {
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info: encode(PURPOSE),
  };
  return await crypto.subtle.deriveKey(derivation, material, { ...HMAC, length: 256 }, false, [
    "sign",
    "verify",
  ]);
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const base64 = text.replaceAll("-", "+").replaceAll("_", "/");
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
