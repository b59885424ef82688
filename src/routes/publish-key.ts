/**
 * Owns the ids of messages that a request publishes under an Idempotency-Key: of their own kind, so
 * that they meet neither ids that publishers choose nor those of another key. Refuses to know what was
 * published.
 */
import { SluiceError } from "../protocol/errors.ts";
import { isMessageId } from "../protocol/names.ts";
import type { AppContext } from "./app-env.ts";
import { ownerOf } from "./generation-start.ts";

/** Begins every id that comes of a key, and none that a publisher chooses. */
const PREFIX = "sluice.key.";

/** Bytes of the hash that tell keys apart: 96 bits, 16 characters. */
const HASH_BYTES = 12;

/** Whether an id is one that a publisher may choose. */
export function isPublishersId(id: string): boolean {
  return isMessageId(id) && !id.startsWith(PREFIX);
}

/**
 * What the ids of a request's messages begin with, before their place in it; undefined when the request
 * has no Idempotency-Key. A key is its caller's own.
 *
 * @throws SluiceError `invalid_request`.
 */
export async function readKey(c: AppContext): Promise<string | undefined> {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return undefined;
  if (!isMessageId(key)) {
    throw new SluiceError("invalid_request", {
      detail: "An Idempotency-Key is 1 to 64 visible ASCII characters.",
      param: "Idempotency-Key",
    });
  }
  const text = new TextEncoder().encode(JSON.stringify([ownerOf(c.var.principal), key]));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", text)).subarray(0, HASH_BYTES);
  const name = btoa(String.fromCharCode(...hash))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
  return `${PREFIX}${name}.`;
}
