/**
 * Owns writing a frame's fields one after the other, in their shortest form: the counterpart of
 * `FieldReader`. Written by hand because every message passes through here on its way to others, who wait
 * for it. Refuses to know which fields a frame has, and to write anything but texts, counts and what is encoded already.
 * Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 */

/** Bytes that hold what a message mostly is. */
const USUAL_BYTES = 4 * 1024;

/** Bytes beyond which a buffer is not kept for the next frame. */
const KEPT_BYTES = 256 * 1024;

/** Header of a text of less than 256 bytes, at most. */
const HEADER_BYTES = 2;

const utf8 = new TextEncoder();

/** One frame at a time: from {@link FieldWriter.begin} to {@link FieldWriter.end}, without an `await` between them. */
export class FieldWriter {
  #bytes = new Uint8Array(USUAL_BYTES);
  #at = 0;

  /** Begins a frame, which is an array of so many elements; one that was begun before and not ended is forgotten. */
  begin(length: number): this {
    this.#at = 0;
    return this.array(length);
  }

  /** An array of so many elements, which are to be written next. */
  array(length: number): this {
    if (length < 16) this.#head(0x90 + length, 0, 0);
    else if (length < 2 ** 16) this.#head(0xdc, 2, length);
    else this.#head(0xdd, 4, length);
    return this;
  }

  /** A whole number from 0 to 2^53 - 1. @throws RangeError for any other, which only a mistake of ours explains. */
  count(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError("not a count");
    if (value < 128) this.#head(value, 0, 0);
    else if (value < 2 ** 8) this.#head(0xcc, 1, value);
    else if (value < 2 ** 16) this.#head(0xcd, 2, value);
    else if (value < 2 ** 32) this.#head(0xce, 4, value);
    else this.#head(0xcf, 8, value);
    return this;
  }

  /** A string. */
  text(text: string): this {
    const { length } = text;
    // Names and ids: to encode them here spares the platform's preparations.
    if (length < 2 ** 8 && this.#writeAscii(text, length)) return this;
    const encoded = utf8.encode(text);
    const bytes = encoded.length;
    if (bytes < 32) this.#head(0xa0 + bytes, 0, 0);
    else if (bytes < 2 ** 8) this.#head(0xd9, 1, bytes);
    else if (bytes < 2 ** 16) this.#head(0xda, 2, bytes);
    else this.#head(0xdb, 4, bytes);
    return this.raw(encoded);
  }

  /** One value or several, as their bytes. */
  raw(encoded: Uint8Array): this {
    this.#makeRoom(encoded.length);
    this.#bytes.set(encoded, this.#at);
    this.#at += encoded.length;
    return this;
  }

  /** The frame, as a copy. */
  end(): Uint8Array<ArrayBuffer> {
    const written = this.#bytes.slice(0, this.#at);
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = new Uint8Array(USUAL_BYTES);
    return written;
  }

  /** Writes a text of ASCII alone; else nothing, and says so. */
  #writeAscii(text: string, length: number): boolean {
    this.#makeRoom(length + HEADER_BYTES);
    const bytes = this.#bytes;
    let at = this.#at;
    if (length < 32) bytes[at] = 0xa0 + length;
    else {
      bytes[at] = 0xd9;
      at += 1;
      bytes[at] = length;
    }
    for (let nth = 0; nth < length; nth += 1) {
      const code = text.charCodeAt(nth);
      if (code > 0x7f) return false;
      at += 1;
      bytes[at] = code;
    }
    this.#at = at + 1;
    return true;
  }

  /** A first byte, and a whole number in so many more. */
  #head(first: number, more: number, value: number): void {
    this.#makeRoom(1 + more);
    const start = this.#at;
    this.#bytes[start] = first;
    let rest = value;
    for (let at = start + more; at > start; at -= 1) {
      // Assigning takes the lowest eight bits.
      this.#bytes[at] = rest;
      rest = Math.floor(rest / 256);
    }
    this.#at = start + 1 + more;
  }

  #makeRoom(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}
