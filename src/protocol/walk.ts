/**
 * Owns the check that bytes are one MessagePack value and where it ends, before anything is decoded.
 * Iterative and without allocation, because the bytes come from strangers: every declared length is
 * held against the bytes that remain before a decoder may believe it. Refuses to know frames.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { MAX_DEPTH } from "./limits.ts";
import { isUtf8 } from "./utf8.ts";

/** What bounds a value. */
export interface WalkCaps {
  /** Containers around the innermost value; a scalar needs none. */
  readonly depth: number;
  /** Values in all: scalars, containers and keys. */
  readonly elements: number;
}

const FAULTS = {
  truncated: "A value ends before its declared length.",
  trailing: "There are bytes after the end of the value.",
  too_deep: "Arrays and maps are nested too deep.",
  too_many: "There are too many values.",
  bad_key: "A map key must be a string other than `__proto__`, or an integer.",
  extension: "Extension types (timestamps too) are not carried.",
  reserved: "The byte 0xc1 is not MessagePack.",
  not_utf8: "A string is not UTF-8.",
  wrong_type: "A field has the wrong type.",
} as const;

/** What is wrong with bytes. */
export type WalkFault = keyof typeof FAULTS;

/** Bytes are not the value they should be. */
export class WalkError extends Error {
  override readonly name = "WalkError";
  readonly fault: WalkFault;

  constructor(fault: WalkFault) {
    super(FAULTS[fault]);
    this.fault = fault;
  }
}

/** A server's frame nests payloads inside an entry, a list and the frame. */
const DEEPEST = MAX_DEPTH + 8;

// One walk runs at a time and never yields, so the stack can be shared.
const left = new Float64Array(DEEPEST + 1);
const isMap = new Uint8Array(DEEPEST + 1);
const PROTO = new TextEncoder().encode("__proto__");

/**
 * Where the value that starts at `start` ends.
 *
 * @throws WalkError for anything that is not a whole value within the caps.
 */
export function walkValue(bytes: Uint8Array, start: number, caps: WalkCaps): number {
  const deepest = Math.min(caps.depth, DEEPEST);
  const end = bytes.length;
  let at = start;
  let elements = 0;
  // Values that open containers still owe, on all levels together: each needs a byte at least.
  let owed = 1;
  let depth = 0;
  left[0] = 1;
  isMap[0] = 0;
  for (;;) {
    if (at >= end) throw new WalkError("truncated");
    elements += 1;
    if (elements > caps.elements) throw new WalkError("too_many");
    const head = bytes[at] ?? 0;
    const due = left[depth] ?? 0;
    const isKey = isMap[depth] === 1 && due % 2 === 0;
    if (isKey && !isString(head) && !isInteger(head)) throw new WalkError("bad_key");
    left[depth] = due - 1;
    owed -= 1;

    const width = lengthWidth(head);
    at += 1 + width;
    if (at > end) throw new WalkError("truncated");
    if (isContainer(head)) {
      const map = isMapHead(head);
      const count = declared(bytes, at, head, width);
      const children = map ? count * 2 : count;
      depth += 1;
      if (depth > deepest) throw new WalkError("too_deep");
      owed += children;
      if (owed > end - at) throw new WalkError("truncated");
      left[depth] = children;
      isMap[depth] = map ? 1 : 0;
    } else {
      const from = at;
      at += declared(bytes, at, head, width);
      if (at > end) throw new WalkError("truncated");
      if (isString(head)) {
        if (!isUtf8(bytes, from, at)) throw new WalkError("not_utf8");
        if (isKey && isProto(bytes, from, at)) throw new WalkError("bad_key");
      }
    }
    while (left[depth] === 0) {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
}

/** Whether a value with this first byte is a string. */
export function isString(head: number): boolean {
  return (head & 0xe0) === 0xa0 || (head >= 0xd9 && head <= 0xdb);
}

/** Whether a value with this first byte is an integer, signed or not. */
function isInteger(head: number): boolean {
  return (
    head <= 0x7f || head >= 0xe0 || (head >= 0xcc && head <= 0xcf) || (head >= 0xd0 && head <= 0xd3)
  );
}

/** Whether a value with this first byte is an array. */
export function isArrayHead(head: number): boolean {
  return (head & 0xf0) === 0x90 || head === 0xdc || head === 0xdd;
}

/** Whether a value with this first byte is a map. */
export function isMapHead(head: number): boolean {
  return (head & 0xf0) === 0x80 || head === 0xde || head === 0xdf;
}

/**
 * Bytes of the length field that follows a first byte.
 *
 * @throws WalkError for the first bytes that are never accepted: extensions and 0xc1.
 */
export function lengthWidth(head: number): number {
  switch (head) {
    case 0xc4:
    case 0xd9:
      return 1;
    case 0xc5:
    case 0xda:
    case 0xdc:
    case 0xde:
      return 2;
    case 0xc6:
    case 0xdb:
    case 0xdd:
    case 0xdf:
      return 4;
    case 0xc1:
      throw new WalkError("reserved");
    default:
      if ((head >= 0xc7 && head <= 0xc9) || (head >= 0xd4 && head <= 0xd8)) {
        throw new WalkError("extension");
      }
      return 0;
  }
}

/**
 * What a value declares about itself: elements of an array, pairs of a map, bytes of a body.
 * `bodyAt` is where its length field of `width` bytes ended.
 */
export function declared(bytes: Uint8Array, bodyAt: number, head: number, width: number): number {
  if (width > 0) {
    let value = 0;
    for (let i = bodyAt - width; i < bodyAt; i += 1) value = value * 256 + (bytes[i] ?? 0);
    return value;
  }
  if (head >= 0x80 && head <= 0x9f) return head & 0x0f;
  if (head >= 0xa0 && head <= 0xbf) return head & 0x1f;
  switch (head) {
    case 0xcc:
    case 0xd0:
      return 1;
    case 0xcd:
    case 0xd1:
      return 2;
    case 0xca:
    case 0xce:
    case 0xd2:
      return 4;
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return 8;
    default:
      return 0;
  }
}

function isContainer(head: number): boolean {
  return isArrayHead(head) || isMapHead(head);
}

/** Decoders in JavaScript choke on this key or, worse, obey it; it carries nothing worth either. */
function isProto(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== PROTO.length) return false;
  for (let i = 0; i < PROTO.length; i += 1) if (bytes[from + i] !== PROTO[i]) return false;
  return true;
}
