/**
 * Owns putting encoded pieces together. Written by hand because the MessagePack library cannot embed
 * bytes that are already encoded, and decoding payloads only to encode them again is what a server
 * of many members must not do. Refuses to know frames.
 */
import { Encoder } from "@msgpack/msgpack";

const FIX_ARRAY = 0x90;
const FIX_MAP = 0x80;
const FIX_MAX = 15;

// Two, because an encoder's shared bytes are overwritten by its next use.
const leading = new Encoder({ ignoreUndefined: true });
const trailing = new Encoder();

/** The value's bytes, for fields that Sluice itself made: short strings, counts, lists of them. */
export function encodeField(value: unknown): Uint8Array {
  return leading.encode(value);
}

/** First bytes of an array of so many elements, which are to follow. */
export function arrayHeader(count: number): Uint8Array {
  if (count <= FIX_MAX) return Uint8Array.of(FIX_ARRAY | count);
  if (count < 0x1_0000) return Uint8Array.of(0xdc, count >> 8, count & 0xff);
  return Uint8Array.of(
    0xdd,
    count >>> 24,
    (count >>> 16) & 0xff,
    (count >>> 8) & 0xff,
    count & 0xff,
  );
}

/** First bytes of a map of so many pairs, which are to follow. */
export function mapHeader(pairs: number): Uint8Array {
  return pairs <= FIX_MAX
    ? Uint8Array.of(FIX_MAP | pairs)
    : Uint8Array.of(0xde, pairs >> 8, pairs & 0xff);
}

/**
 * The array `[...before, value, ...after]` of at most 15 elements. The library writes the fields as arrays
 * of their own; their one-byte headers are replaced by a common one.
 */
export function encodeAround(
  before: readonly unknown[],
  value: Uint8Array,
  after: readonly unknown[] = [],
): Uint8Array {
  const head = leading.encodeSharedRef(before);
  const tail = after.length === 0 ? undefined : trailing.encodeSharedRef(after);
  const end = head.length + value.length;
  const bytes = new Uint8Array(tail === undefined ? end : end + tail.length - 1);
  bytes.set(head, 0);
  bytes.set(value, head.length);
  if (tail !== undefined) bytes.set(tail.subarray(1), end);
  bytes[0] = FIX_ARRAY | (before.length + 1 + after.length);
  return bytes;
}

/** A map of at most 15 pairs: `fields` (those that are not undefined) and then `rawFields`. */
export function encodeMapWith(
  fields: Readonly<Record<string, unknown>>,
  rawFields: Readonly<Record<string, Uint8Array | undefined>>,
): Uint8Array {
  const parts = [encodeField(fields)];
  for (const [name, value] of Object.entries(rawFields)) {
    if (value !== undefined) parts.push(encodeField(name), value);
  }
  const bytes = concat(parts);
  const rawCount = (parts.length - 1) / 2;
  bytes[0] = FIX_MAP | (((bytes[0] ?? 0) & FIX_MAX) + rawCount);
  return bytes;
}

/** An array of elements that are encoded already. */
export function encodeList(items: readonly Uint8Array[]): Uint8Array {
  return concat([arrayHeader(items.length), ...items]);
}

/** The pieces in one. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Whether two texts of bytes are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
