import vectors from "../../../src/protocol/vectors.json" with { type: "json" };
import type { ServerFrame } from "../../../src/protocol/frames.ts";
import { encodeValue } from "../../../src/protocol/value.ts";
import { fromHex } from "./hex.ts";

type Hex = string | readonly (string | { readonly repeat: string; readonly times: number })[];

/** The bytes that a vector means. */
export function bytesOf(hex: Hex): Uint8Array {
  const parts = typeof hex === "string" ? [hex] : hex;
  const text = parts.map((part) =>
    typeof part === "string" ? part : part.repeat.repeat(part.times),
  );
  return fromHex(text.join(""));
}

/** A frame of the file as a client sees it, with decoded values. */
export function decodedFrame(meaning: unknown): ServerFrame {
  return revive(meaning, (value) => value) as ServerFrame;
}

/** A frame of the file with its values encoded, in shortest forms. */
export function encodedFrame(meaning: unknown): unknown {
  return revive(meaning, encodeValue);
}

/** The value for JSON that may hold `$int` and `$base64`. */
export function valueOf(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(valueOf);
  if ("$int" in json) return BigInt(String(json.$int));
  if ("$base64" in json) {
    return Uint8Array.from(atob(String(json.$base64)), (character) => character.charCodeAt(0));
  }
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, valueOf(item)]));
}

function revive(meaning: unknown, encode: (value: unknown) => unknown): unknown {
  if (meaning === null) return undefined;
  if (typeof meaning !== "object") return meaning;
  if (Array.isArray(meaning)) return meaning.map((item) => revive(item, encode));
  if ("value" in meaning) return encode(valueOf(meaning.value));
  return Object.fromEntries(
    Object.entries(meaning).map(([key, item]) => [key, revive(item, encode)]),
  );
}

export { vectors };
