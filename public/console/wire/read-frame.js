/**
 * Owns the reading of a room's frames for people: what kind one is, in a line, and all of it.
 * Refuses to judge them. The rules are in src/protocol/SPEC.md.
 */
import { decode } from "@msgpack/msgpack";
import { FRAME } from "sluice/frames";
import { parseServerFrame } from "sluice/parse-server-frame";

const NAMES = new Map(Object.entries(FRAME).map(([name, number]) => [number, name]));

/** @param {string | ArrayBuffer | Uint8Array} data */
export function readFrame(data) {
  if (typeof data === "string") {
    return {
      kind: data,
      summary: "heartbeat",
      bytes: data.length,
      detail: data,
      position: undefined,
    };
  }
  const bytes = data.byteLength;
  try {
    const frame = /** @type {unknown[]} */ (decode(data, { useBigInt64: false }));
    const [type, ...fields] = frame;
    const kind = NAMES.get(/** @type {never} */ (type)) ?? `frame ${String(type)}`;
    return {
      kind,
      summary: lineOf(fields),
      bytes,
      detail: named(data) ?? frame,
      position: positionOf(kind, fields),
    };
  } catch {
    return { kind: "binary", summary: `${bytes} bytes`, bytes, detail: "", position: undefined };
  }
}

/** A server's frame with names for its fields. @param {ArrayBuffer | Uint8Array} data */
function named(data) {
  try {
    return parseServerFrame(data);
  } catch {
    // A client's, or one of a newer server.
    return undefined;
  }
}

/** Where a frame stands, if it says so. @param {string} kind @param {readonly unknown[]} fields */
function positionOf(kind, fields) {
  const [first, second] = fields;
  if (kind === "deliver" && typeof first === "number" && Array.isArray(second)) {
    return second.length > 1 ? `${first}–${first + second.length - 1}` : String(first);
  }
  return kind === "ack" ? String(first) : undefined;
}

/** A value in one line. @param {unknown} value */
export function lineOf(value) {
  return JSON.stringify(value, shown) ?? "";
}

/** A value in many lines. @param {unknown} value */
export function pageOf(value) {
  return typeof value === "string" ? value : (JSON.stringify(value, shown, 2) ?? "");
}

/** What JSON has no word for. @param {string} _key @param {unknown} value */
function shown(_key, value) {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  return value;
}
