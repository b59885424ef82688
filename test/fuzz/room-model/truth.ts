/**
 * Owns what really happened: the log as it was written, read behind the room's back after every turn,
 * and what the room promised about it. Refuses to know connections.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Log } from "../../../durable-objects/log/log.ts";
import { readEntries } from "../../../src/protocol/entries.ts";
import { decodeValue } from "../../../src/protocol/value.ts";

/** A message as sender and receivers see it. */
export interface Said {
  readonly sender: string;
  readonly id: string;
  readonly payload: unknown;
}

const PAGE = { maxBytes: 1e9, maxEntries: 1e9 };

export class Truth {
  /** The log of this epoch from its beginning, trimmed entries included. */
  #entries: Said[] = [];
  readonly #seqs = new Map<string, number>();
  /** Positions of messages that were stored before and trimmed. */
  readonly #again = new Set<number>();
  #epoch = "";

  get tail(): number {
    return this.#entries.length;
  }

  /** Takes down what was appended since the last look. */
  witness(log: Log): void {
    if (log.epoch !== this.#epoch) {
      this.#epoch = log.epoch;
      this.#entries = [];
      this.#seqs.clear();
      this.#again.clear();
    }
    while (this.tail < log.tail) {
      const page = log.readAfter(this.tail, PAGE);
      ok(page.kind === "page", "the log was trimmed before anybody saw its newest entries");
      this.#note(page.first, page.entries, log.head);
    }
    strictEqual(log.tail, this.tail, "the log lost entries at its end");
  }

  /** Holds what is stored against what was written. */
  audit(log: Log): void {
    for (let after = log.head - 1; after < log.tail;) {
      const page = log.readAfter(after, PAGE);
      if (page.kind === "gap") {
        after = page.to;
        continue;
      }
      let seq = page.first;
      for (const { sender, id, payload } of readEntries(page.entries)) {
        deepStrictEqual({ sender, id, payload: decodeValue(payload) }, this.at(seq));
        seq += 1;
      }
      after = page.last;
    }
  }

  at(seq: number): Said {
    const said = this.#entries[seq - 1];
    ok(said !== undefined, `position ${seq} was told before it was written`);
    return said;
  }

  /** A room said that a message is stored there: it must be, as it was sent. */
  confirm(said: Said, seq: number): void {
    deepStrictEqual(this.at(seq), said, `position ${seq} holds another message than confirmed`);
  }

  isStored({ sender, id }: Pick<Said, "sender" | "id">): boolean {
    return this.#seqs.has(`${sender}/${id}`);
  }

  /** Ids of each sender's device in the order of the log; they were given in the order of sending. */
  assertOrder(): void {
    const last = new Map<string, number>();
    for (const [index, { id }] of this.#entries.entries()) {
      if (this.#again.has(index + 1)) continue;
      const [device = "", number] = id.split("-");
      ok(Number(number) > (last.get(device) ?? 0), `${id} overtook a message of its sender`);
      last.set(device, Number(number));
    }
  }

  #note(first: number, bytes: Uint8Array, head: number): void {
    let seq = first;
    for (const { sender, id, payload } of readEntries(bytes)) {
      if (seq > this.tail) {
        const name = `${sender}/${id}`;
        const earlier = this.#seqs.get(name);
        // Ids are remembered for as long as their messages are stored (P33).
        ok(earlier === undefined || earlier < head, `${name} is stored twice: ${earlier}, ${seq}`);
        if (earlier !== undefined) this.#again.add(seq);
        this.#seqs.set(name, seq);
        this.#entries.push({ sender, id, payload: decodeValue(payload) });
      }
      seq += 1;
    }
  }
}
