/**
 * Owns the newest entry of each key of a log, for readers who did not keep up and want to know how
 * things are, not how they became so (S6). Refuses to know who reads.
 *
 * What is newest is shared by all readers, kept in memory within named limits, and read back from the
 * log after a sleep. Beyond the limits readers are given the log as it is: more, never something wrong.
 */
import { concat } from "../../src/protocol/bytes.ts";
import { entriesLength, sliceEntries } from "../../src/protocol/entries.ts";
import type { Raw } from "../../src/protocol/frames.ts";
import {
  LATEST_PAGE_BYTES,
  MAX_LATEST_BYTES,
  MAX_LATEST_KEYS,
  PAGE_BYTES,
} from "../../src/protocol/limits.ts";
import { decodeValue } from "../../src/protocol/value.ts";
import type { LatestPage } from "../delivery/fan-out.ts";
import type { Gap, Log, Page, PageSize } from "../log/log.ts";

/** An entry that no later one has replaced. */
interface Newest {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

interface LatestLimits {
  readonly maxKeys: number;
  readonly maxBytes: number;
}

const LIMITS: LatestLimits = { maxKeys: MAX_LATEST_KEYS, maxBytes: MAX_LATEST_BYTES };

export class LatestIndex {
  readonly #log: Pick<Log, "epoch" | "tail" | "head" | "readAfter" | "resolve">;
  readonly #field: string;
  readonly #limits: LatestLimits;
  /** By key, in the order of the log. */
  #newest = new Map<string, Newest>();
  #bytes = 0;
  /** Every entry after this position is replaced by one in the index or is in it. */
  #from: number;
  /** Whether the index has reached its limits, so that reading further back is of no use. */
  #isFull = false;

  /** @param field of the JSON objects, whose value is the key. What has none shares a key. */
  constructor(
    log: Pick<Log, "epoch" | "tail" | "head" | "readAfter" | "resolve">,
    field: string,
    limits: LatestLimits = LIMITS,
  ) {
    this.#log = log;
    this.#field = field;
    this.#limits = limits;
    this.#from = log.tail;
  }

  /** Keys known. */
  get size(): number {
    return this.#newest.size;
  }

  /** Bytes of the entries known. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes a flush that the log has just stored. */
  note(first: number, entries: Uint8Array): void {
    let seq = first;
    for (const { bytes, payload } of sliceEntries(entries)) {
      this.#put(this.#keyOf(payload), seq, bytes);
      seq += 1;
    }
    this.#shrink();
  }

  /** What a reader who has everything up to `seq` needs to know how things are. */
  readAfter(seq: number, size: PageSize): LatestPage | Page | Gap {
    const start = this.#log.resolve({ epoch: this.#log.epoch, seq });
    if (start.kind === "gap") return start;
    if (seq < this.#from && !this.#isFull) this.#readBack(seq);
    if (seq >= this.#log.tail || seq < this.#from) {
      return this.#log.readAfter(seq, {
        ...size,
        maxEntries: Math.min(size.maxEntries, Math.max(1, this.#from - seq)),
      });
    }
    return this.#pageAfter(seq);
  }

  /** All at once, whatever the reader's credit: in portions, keys that change often would never come. */
  #pageAfter(seq: number): LatestPage {
    const seqs: number[] = [];
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for (const newest of this.#newest.values()) {
      if (newest.seq <= seq) continue;
      bytes += newest.bytes.byteLength;
      if (seqs.length > 0 && bytes > LATEST_PAGE_BYTES) break;
      seqs.push(newest.seq);
      parts.push(newest.bytes);
    }
    const last = seqs.at(-1);
    // The newest entry of all is the newest of its key.
    if (last === undefined) throw new Error("the index does not hold the newest entry");
    return { kind: "latest", seqs, entries: concat(parts), last };
  }

  /** Builds the index from the log after `seq` on. */
  #readBack(seq: number): void {
    this.#newest = new Map();
    this.#bytes = 0;
    this.#from = seq;
    const size = { maxBytes: PAGE_BYTES, maxEntries: Number.MAX_SAFE_INTEGER };
    for (let at = seq; ;) {
      const page = this.#log.readAfter(at, size);
      if (page.kind === "gap" || page.count === 0) return;
      const known = Math.max(0, at + 1 - page.first);
      const start = known === 0 ? 0 : entriesLength(page.entries, known);
      // A copy: entries that stay would keep their whole pages in memory.
      this.note(page.first + known, page.entries.slice(start));
      at = page.last;
    }
  }

  #put(key: string, seq: number, bytes: Uint8Array): void {
    this.#remove(key);
    this.#newest.set(key, { seq, bytes: bytes.slice() });
    this.#bytes += bytes.byteLength + key.length;
  }

  #remove(key: string): void {
    const known = this.#newest.get(key);
    if (known === undefined) return;
    this.#newest.delete(key);
    this.#bytes -= known.bytes.byteLength + key.length;
  }

  /** Forgets the oldest: what is no longer stored, and what is beyond the limits. */
  #shrink(): void {
    const { maxKeys, maxBytes } = this.#limits;
    for (const [key, { seq }] of this.#newest) {
      const isBeyond = this.#newest.size > maxKeys || this.#bytes > maxBytes;
      if (!isBeyond && seq >= this.#log.head) return;
      // The newest entry stays, whatever its size.
      if (this.#newest.size === 1) return;
      this.#remove(key);
      this.#from = Math.max(this.#from, seq);
      this.#isFull ||= isBeyond;
    }
  }

  #keyOf(payload: Raw): string {
    const text = decodeValue(payload);
    if (typeof text !== "string") return "";
    const data: unknown = JSON.parse(text);
    if (typeof data !== "object" || data === null || !Object.hasOwn(data, this.#field)) return "";
    return JSON.stringify((data as Readonly<Record<string, unknown>>)[this.#field]);
  }
}
