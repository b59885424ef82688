/**
 * Owns reading a frame's fields one after the other: each is walked before it is decoded, and
 * payloads are sliced, not decoded. Refuses to know which fields a frame has.
 */
import { Decoder } from "@msgpack/msgpack";
import type { Raw } from "./frames.ts";
import { MAX_DEPTH, MAX_ELEMENTS } from "./limits.ts";
import {
  WalkError,
  declared,
  isArrayHead,
  isMapHead,
  isString,
  lengthWidth,
  walkValue,
} from "./walk.ts";

const NIL = 0xc0;
const FIXSTR = 0xa0;
const SCALAR = { depth: 0, elements: 1 };
const PAYLOAD = { depth: MAX_DEPTH, elements: MAX_ELEMENTS };

// Only ever given walked scalars, so its answer is a string or a number.
const decoder = new Decoder();

/** A cursor over the bytes of a frame. Every method throws {@link WalkError} and then has not moved. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** @param bytes not copied: what is read as {@link Raw} stays valid as long as they do. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#at;
  }

  /** Whether everything is read. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Elements of the array that starts here. They are to be read next. */
  arrayHeader(): number {
    return this.#header(isArrayHead);
  }

  /** Pairs of the map that starts here. They are to be read next. */
  mapHeader(): number {
    return this.#header(isMapHead);
  }

  /** A string. */
  text(): string {
    const head = this.#head();
    if (!isString(head)) throw new WalkError("wrong_type");
    const isShort = head < FIXSTR + 32;
    return (isShort ? this.#shortText(head - FIXSTR) : undefined) ?? (this.#scalar() as string);
  }

  /** A count or position: a whole number from 0 to 2^53 - 1, in whatever encoding of a number. */
  count(): number {
    const start = this.#at;
    const head = this.#head();
    if (head <= 0x7f) {
      this.#at += 1;
      return head;
    }
    if (head < 0xca || (head > 0xd3 && head < 0xe0)) {
      throw new WalkError("wrong_type");
    }
    const value = this.#scalar() as number;
    if (!Number.isSafeInteger(value) || value < 0) {
      this.#at = start;
      throw new WalkError("wrong_type");
    }
    return value;
  }

  /** Reads nil if it is here; says whether it was. */
  nil(): boolean {
    if (this.#head() !== NIL) return false;
    this.#at += 1;
    return true;
  }

  /** Any value, as its bytes. */
  raw(): Raw {
    const start = this.#at;
    this.skip();
    return this.#bytes.subarray(start, this.#at) as Raw;
  }

  /** Passes over any value. */
  skip(): void {
    this.#at = walkValue(this.#bytes, this.#at, PAYLOAD);
  }

  /** @throws WalkError when something is left. */
  end(): void {
    if (!this.done) throw new WalkError("trailing");
  }

  #head(): number {
    const head = this.#bytes[this.#at];
    if (head === undefined) throw new WalkError("truncated");
    return head;
  }

  /** A string as ids and names mostly are: of up to 31 bytes, all ASCII. Spares the decoder's preparations. */
  #shortText(length: number): string | undefined {
    const bytes = this.#bytes;
    const end = this.#at + 1 + length;
    if (end > bytes.length) return undefined;
    let text = "";
    for (let at = end - length; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte > 0x7f) return undefined;
      text += String.fromCharCode(byte);
    }
    this.#at = end;
    return text;
  }

  #scalar(): unknown {
    const start = this.#at;
    this.#at = walkValue(this.#bytes, start, SCALAR);
    return decoder.decode(this.#bytes.subarray(start, this.#at));
  }

  /** Says what is declared; whoever then reads that many values meets the end of the bytes. */
  #header(isHead: (head: number) => boolean): number {
    const head = this.#head();
    if (!isHead(head)) throw new WalkError("wrong_type");
    const width = lengthWidth(head);
    const bodyAt = this.#at + 1 + width;
    if (bodyAt > this.#bytes.length) throw new WalkError("truncated");
    this.#at = bodyAt;
    return declared(this.#bytes, bodyAt, head, width);
  }
}
