/**
 * Owns writing values as MessagePack, for clients: refuses what a receiver in another language would not get
 * back as it was, and what a server would not take. Refuses to know what the values mean.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import type { Raw } from "./frames.ts";
import { given } from "./given.ts";
import { MAX_DEPTH, MAX_ELEMENTS } from "./limits.ts";

/** A value cannot be carried. */
export class PackError extends Error {
  override readonly name = "PackError";
}

/** A value that is MessagePack already, to stand in another as it is. */
export class Packed {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

const FOREIGN = "It holds more than plain data.";

const utf8 = new TextEncoder();
const wide = new DataView(new ArrayBuffer(8));
const wideBytes = new Uint8Array(wide.buffer);

/**
 * The value's bytes, in the shortest form. A `bigint` is a 64-bit integer, `undefined` is nil; a property
 * that is `undefined` is left out.
 *
 * @throws PackError for functions, symbols, dates, maps and other class instances, integers beyond 64
 *   bits, `__proto__` as a key, too deep or too many values.
 */
export function pack(value: unknown): Uint8Array<ArrayBuffer> & Raw {
  let bytes = new Uint8Array(256);
  let length = 0;
  let elements = 0;

  /** Makes room for so many bytes more; where they begin. */
  const grow = (count: number): number => {
    const start = length;
    length += count;
    if (length > bytes.length) {
      const larger = new Uint8Array(length * 2);
      larger.set(bytes);
      bytes = larger;
    }
    return start;
  };

  const append = (encoded: Uint8Array): void => {
    const start = grow(encoded.length);
    bytes.set(encoded, start);
  };

  /** A first byte, and an integer in so many more. */
  const head = (first: number, more = 0, integer = 0): void => {
    const start = grow(1 + more);
    bytes[start] = first;
    let rest = integer;
    for (let at = start + more; at > start; at -= 1) {
      // Assigning takes the lowest eight bits, of negative ones as two's complement.
      bytes[at] = rest;
      rest = Math.floor(rest / 256);
    }
  };

  /** A size: in the first byte if it is below `few`, or else behind one that says in how many bytes. */
  const declare = (size: number, few: number, small: number, large: number, least = 0): void => {
    const power = Math.max(powerOf(size), least);
    if (size < few) head(small + size);
    else head(large + power, 2 ** power, size);
  };

  const number = (n: number): void => {
    if (!Number.isSafeInteger(n)) {
      wide.setFloat64(0, n);
      head(0xcb);
      append(wideBytes);
    } else if (n >= -32 && n < 128) head(n);
    else {
      // A negative integer needs a bit for its sign.
      const power = powerOf(n < 0 ? -2 * n - 1 : n);
      head((n < 0 ? 0xd0 : 0xcc) + power, 2 ** power, n);
    }
  };

  const text = (string: string): void => {
    const encoded = utf8.encode(string);
    declare(encoded.length, 32, 0xa0, 0xd9);
    append(encoded);
  };

  const object = (item: object, room: number): void => {
    if (item instanceof Packed) append(item.bytes);
    else if (item instanceof Uint8Array) {
      declare(item.length, 0, 0, 0xc4);
      append(item);
    } else if (room === 0) {
      throw new PackError("It is nested too deeply.");
    } else if (Array.isArray(item)) {
      // Neither arrays nor maps have a size of one byte.
      declare(item.length, 16, 0x90, 0xdb, 1);
      for (const element of item) write(element, room - 1);
    } else if (isPlain(item)) {
      const fields = given(item as Readonly<Record<string, unknown>>);
      declare(fields.length, 16, 0x80, 0xdd, 1);
      for (const [key, field] of fields) {
        if (key === "__proto__") throw new PackError("It holds `__proto__`.");
        write(key, 0);
        write(field, room - 1);
      }
    } else throw new PackError(FOREIGN);
  };

  const write = (item: unknown, room: number): void => {
    elements += 1;
    if (elements > MAX_ELEMENTS) throw new PackError("It holds too many values.");
    switch (typeof item) {
      case "undefined":
        head(0xc0);
        break;
      case "boolean":
        head(item ? 0xc3 : 0xc2);
        break;
      case "number":
        number(item);
        break;
      case "bigint":
        if (BigInt.asIntN(64, item) !== item && BigInt.asUintN(64, item) !== item) {
          throw new PackError("It holds too large an integer.");
        }
        wide.setBigInt64(0, item);
        head(item < 0 ? 0xd3 : 0xcf);
        append(wideBytes);
        break;
      case "string":
        text(item);
        break;
      case "object":
        if (item === null) head(0xc0);
        else object(item, room);
        break;
      case "function":
      case "symbol":
        throw new PackError(FOREIGN);
    }
  };

  write(value, MAX_DEPTH);
  return bytes.slice(0, length) as Uint8Array<ArrayBuffer> & Raw;
}

/** The least power of two bytes that hold a whole number: 0 to 3. */
function powerOf(size: number): number {
  if (size < 2 ** 8) return 0;
  if (size < 2 ** 16) return 1;
  return size < 2 ** 32 ? 2 : 3;
}

/** Also for objects of another realm, whose `Object.prototype` is not ours. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
