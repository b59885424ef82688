/**
 * Owns the bridge between MessagePack payloads and JSON, for the doors that speak HTTP and SSE.
 * What JSON lacks: binary is `{"$base64": "…"}` in both directions; an integer beyond 2^53 becomes a decimal
 * string and stays one; NaN and infinities become null. Refuses to know who publishes or reads.
 */
import { SluiceError } from "./errors.ts";
import type { Raw } from "./frames.ts";
import { MAX_DEPTH } from "./limits.ts";
import { decodeValue, encodeValue } from "./value.ts";

const BASE64_KEY = "$base64";
/** Arguments one call takes safely; engines differ. */
const CHUNK = 8192;

/** The payload as a value that `JSON.stringify` writes without loss but those named above. */
export function rawToJson(raw: Raw): unknown {
  return toJson(decodeValue(raw));
}

/**
 * The payload for a value that `JSON.parse` made.
 *
 * @throws SluiceError `bad_payload` for bad base64, `__proto__` as a key, too deep or too many values.
 */
export function jsonToRaw(json: unknown): Raw {
  return encodeValue(fromJson(json, 0));
}

/** A decoded payload as JSON; its depth is bounded by whoever walked it. */
export function toJson(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { [BASE64_KEY]: toBase64(value) };
  if (Array.isArray(value)) return value.map(toJson);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
}

function fromJson(json: unknown, depth: number): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (depth >= MAX_DEPTH) {
    throw refusal(`It is nested more than ${MAX_DEPTH} levels deep.`);
  }
  if (Array.isArray(json)) return json.map((item) => fromJson(item, depth + 1));
  const entries = Object.entries(json);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === BASE64_KEY) return binaryIn(first[1]);
  return Object.fromEntries(entries.map(([key, item]) => [key, fromJson(item, depth + 1)]));
}

/** Standard base64 with padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += CHUNK) {
    binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return btoa(binary);
}

/** What {@link toBase64} wrote; undefined when it is no base64. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function binaryIn(text: unknown): Uint8Array {
  if (typeof text !== "string") throw refusal(`${BASE64_KEY} is not a string.`);
  const bytes = fromBase64(text);
  if (bytes === undefined) throw refusal(`${BASE64_KEY} is not base64.`);
  return bytes;
}

function refusal(detail: string): SluiceError {
  return new SluiceError("bad_payload", { detail });
}
