/**
 * Owns reading what {@link encodeEntry} wrote: concatenated entries of a log. Refuses to decode
 * payloads, and to know how entries are stored.
 */
import type { Entry, Raw } from "./frames.ts";
import { FieldReader } from "./reader.ts";
import { WalkError } from "./walk.ts";

const ENTRY_FIELDS = 5;
const PAYLOAD_FIELD = 3;

/**
 * The entries one after the other; payloads are views of `entries`.
 *
 * @throws WalkError when the bytes are no entries, which only damaged storage explains.
 */
export function* readEntries(entries: Uint8Array): Generator<Entry<Raw>, void, undefined> {
  const reader = new FieldReader(entries);
  while (!reader.done) {
    if (reader.arrayHeader() !== ENTRY_FIELDS) throw new WalkError("wrong_type");
    yield {
      sender: reader.text(),
      at: reader.count(),
      event: reader.text(),
      payload: reader.raw(),
      id: reader.text(),
    };
  }
}

/** One entry as it is stored. */
export interface EntrySlice {
  /** All of it, as a view. */
  readonly bytes: Uint8Array;
  readonly payload: Raw;
}

/**
 * The entries one after the other as views, without reading their fields.
 *
 * @throws WalkError as {@link readEntries} does.
 */
export function* sliceEntries(entries: Uint8Array): Generator<EntrySlice, void, undefined> {
  const reader = new FieldReader(entries);
  while (!reader.done) {
    const start = reader.offset;
    if (reader.arrayHeader() !== ENTRY_FIELDS) throw new WalkError("wrong_type");
    for (let field = 0; field < PAYLOAD_FIELD; field += 1) reader.skip();
    const payload = reader.raw();
    reader.skip();
    yield { bytes: entries.subarray(start, reader.offset), payload };
  }
}

/**
 * Bytes that the first `count` entries take: where a reader who has those begins.
 *
 * @throws WalkError when there are fewer.
 */
export function entriesLength(entries: Uint8Array, count: number): number {
  const reader = new FieldReader(entries);
  for (let i = 0; i < count; i += 1) {
    for (let fields = reader.arrayHeader(); fields > 0; fields -= 1) reader.skip();
  }
  return reader.offset;
}
