/**
 * Owns JavaScript values on their way into MessagePack and back. Refuses what a receiver in another
 * language would not get back as it was, and to know what the values mean.
 *
 * Integers: a `bigint` is written as a 64-bit integer, and an integer beyond 2^53 is read as one; all
 * others are numbers. Binary is `Uint8Array`. `undefined` becomes nil; a property that is `undefined` is left out.
 */
import { Decoder, Encoder } from "@msgpack/msgpack";
import { SluiceError } from "./errors.ts";
import type { Raw } from "./frames.ts";
import { MAX_DEPTH, MAX_ELEMENTS } from "./limits.ts";
import { WalkError, walkValue } from "./walk.ts";

const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;
const UINT64_HEAD = 0xcf;
const INT64_HEAD = 0xd3;

// The library writes large numbers as floats when it may write bigints, and refuses bigints when it
// may not. Hence two encoders: the usual one, and one for values prepared by `widen`.
const narrowEncoder = new Encoder({ ignoreUndefined: true });
const wideEncoder = new Encoder({ ignoreUndefined: true, useBigInt64: true });
const narrowDecoder = new Decoder();
const wideDecoder = new Decoder({ useBigInt64: true, mapKeyConverter: toKey });

/**
 * The value's bytes.
 *
 * @throws SluiceError `bad_payload` for what cannot be carried: functions, symbols, dates, maps and
 *   other class instances, integers beyond 64 bits, `__proto__` as a key, too deep or too many values.
 */
export function encodeValue(value: unknown): Raw {
  const survey = { elements: 0, special: false };
  inspect(value, 0, survey);
  const bytes = survey.special ? wideEncoder.encode(widen(value)) : narrowEncoder.encode(value);
  return bytes as Uint8Array as Raw;
}

/** The value that walked bytes hold. */
export function decodeValue(raw: Raw): unknown {
  // Cheap and never wrong in the direction that matters: without these bytes nothing has 64 bits.
  const mayBeWide = raw.includes(UINT64_HEAD) || raw.includes(INT64_HEAD);
  return mayBeWide ? narrow(wideDecoder.decode(raw)) : narrowDecoder.decode(raw);
}

/**
 * Bytes from elsewhere as {@link Raw}: exactly one value within the limits of a payload.
 *
 * @throws WalkError for anything else.
 */
export function checkRaw(bytes: Uint8Array): Raw {
  const end = walkValue(bytes, 0, { depth: MAX_DEPTH, elements: MAX_ELEMENTS });
  if (end !== bytes.length) throw new WalkError("trailing");
  return bytes as Raw;
}

/** What was seen of a value before it is encoded. */
interface Survey {
  elements: number;
  /** Whether something in it needs {@link widen}. */
  special: boolean;
}

function inspect(value: unknown, depth: number, survey: Survey): void {
  survey.elements += 1;
  if (survey.elements > MAX_ELEMENTS) throw refusal(`It holds more than ${MAX_ELEMENTS} values.`);
  switch (typeof value) {
    case "boolean":
    case "number":
    case "undefined":
      return;
    case "string":
      if (!value.isWellFormed()) survey.special = true;
      return;
    case "bigint":
      if (value < MIN_INT64 || value > MAX_UINT64) throw refusal("An integer exceeds 64 bits.");
      survey.special = true;
      return;
    case "object":
      if (value !== null && !(value instanceof Uint8Array)) inspectObject(value, depth + 1, survey);
      return;
    case "function":
    case "symbol":
      throw refusal("Functions and symbols have no bytes.");
  }
}

function inspectObject(value: object, depth: number, survey: Survey): void {
  if (depth > MAX_DEPTH) throw refusal(`It is nested more than ${MAX_DEPTH} levels deep.`);
  if (Array.isArray(value)) {
    for (const item of value) inspect(item, depth, survey);
    return;
  }
  if (!isPlain(value)) throw refusal("Only plain objects, arrays and Uint8Array are carried.");
  for (const [key, item] of Object.entries(value)) {
    if (key === "__proto__") throw refusal("`__proto__` is no key.");
    inspect(key, depth, survey);
    inspect(item, depth, survey);
  }
}

/** Also for objects of another realm, whose `Object.prototype` is not ours. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refusal(detail: string): SluiceError {
  return new SluiceError("bad_payload", { detail });
}

/** A copy whose large integers are bigints, which alone are written as 64 bits, and whose text is Unicode. */
function widen(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "number") return needs64Bits(value) ? BigInt(value) : value;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(widen);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.toWellFormed(), widen(item)]),
  );
}

function needs64Bits(value: number): boolean {
  return Number.isSafeInteger(value) && (value >= 2 ** 32 || value < -(2 ** 31));
}

/** Turns what is wide on the wire and small in fact into numbers, in place. */
function narrow(value: unknown): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) value[i] = narrow(value[i]);
    return value;
  }
  const map = value as Record<string, unknown>;
  for (const key of Object.keys(map)) map[key] = narrow(map[key]);
  return map;
}

function toKey(key: unknown): string | number {
  return typeof key === "number" ? key : String(key);
}
