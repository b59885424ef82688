/**
 * Owns reading MessagePack in one pass, held against the rules for values (P8–P12) on the way: what clients
 * do with what servers send. Refuses to know frames.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */

/** Bytes are not what they should be. It does not say why: whoever could mend it is the server that sent them. */
export class UnpackError extends Error {
  override readonly name = "UnpackError";
}

const FLOAT32 = 0xca;
const FLOAT64 = 0xcb;

/** Bytes of a text below which it is read here. */
const SHORT = 64;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The one value that the bytes hold. Integers beyond 2^53 are bigints, binary is a view of the bytes.
 *
 * @param depth containers around the innermost value at most.
 * @throws UnpackError for anything else.
 */
export function unpack(bytes: Uint8Array, depth: number): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;

  /** Passes over so many bytes; where they begin. */
  const take = (length: number): number => {
    const start = at;
    at += length;
    if (at > bytes.length) throw new UnpackError();
    return start;
  };

  /** An integer of 1, 2 or 4 bytes: of two to this power. */
  const uint = (power: number): number => {
    const start = take(2 ** power);
    if (power === 0) return view.getUint8(start);
    return power === 1 ? view.getUint16(start) : view.getUint32(start);
  };

  const binary = (length: number): Uint8Array => bytes.subarray(take(length), at);

  const text = (length: number): string => {
    const encoded = binary(length);
    // A call of the platform costs more than a short name is long.
    const ascii = length < SHORT ? readAscii(encoded) : undefined;
    if (ascii !== undefined) return ascii;
    try {
      return utf8.decode(encoded);
    } catch {
      throw new UnpackError();
    }
  };

  const enter = (room: number): number => {
    if (room === 0) throw new UnpackError();
    return room - 1;
  };

  // Nothing is allocated for what is only declared: each element needs a byte to be there.
  const array = (length: number, room: number): unknown[] => {
    const inside = enter(room);
    const items: unknown[] = [];
    while (items.length < length) items.push(value(inside));
    return items;
  };

  const map = (size: number, room: number): Record<string, unknown> => {
    const inside = enter(room);
    const fields: Record<string, unknown> = {};
    for (let left = size; left > 0; left -= 1) {
      const isFloat = bytes[at] === FLOAT32 || bytes[at] === FLOAT64;
      const key = value(0);
      const isInteger = typeof key === "bigint" || (Number.isInteger(key) && !isFloat);
      // JavaScript obeys `__proto__`.
      if ((typeof key !== "string" && !isInteger) || key === "__proto__") {
        throw new UnpackError();
      }
      fields[String(key)] = value(inside);
    }
    return fields;
  };

  const value = (room: number): unknown => {
    const head = uint(0);
    if (head < 0x80) return head;
    if (head < 0x90) return map(head & 0x0f, room);
    if (head < 0xa0) return array(head & 0x0f, room);
    if (head < 0xc0) return text(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return binary(uint(head - 0xc4));
      case FLOAT32:
        return view.getFloat32(take(4));
      case FLOAT64:
        return view.getFloat64(take(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return uint(head - 0xcc);
      case 0xcf:
        return narrow(view.getBigUint64(take(8)));
      case 0xd0:
        return view.getInt8(take(1));
      case 0xd1:
        return view.getInt16(take(2));
      case 0xd2:
        return view.getInt32(take(4));
      case 0xd3:
        return narrow(view.getBigInt64(take(8)));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return text(uint(head - 0xd9));
      // Neither arrays nor maps have a size of one byte.
      case 0xdc:
      case 0xdd:
        return array(uint(head - 0xdb), room);
      case 0xde:
      case 0xdf:
        return map(uint(head - 0xdd), room);
      default:
        throw new UnpackError();
    }
  };

  const whole = value(depth);
  if (at < bytes.length) throw new UnpackError();
  return whole;
}

/** A text of ASCII; undefined for any other. */
function readAscii(encoded: Uint8Array): string | undefined {
  let ascii = "";
  for (const byte of encoded) {
    if (byte > 0x7f) return undefined;
    ascii += String.fromCharCode(byte);
  }
  return ascii;
}

/** What is wide on the wire and small in fact is a number. */
function narrow(wide: bigint): number | bigint {
  const number = Number(wide);
  return Number.isSafeInteger(number) ? number : wide;
}
