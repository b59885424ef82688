/** Owns a fan-out outside the platform: a log of rows in memory, whose frames say in two numbers what they carry. */
import { acceptConnection, type Connection } from "../../durable-objects/delivery/connection.ts";
import {
  FanOut,
  type LaggardPolicy,
  type LogPage,
  type ReadableLog,
} from "../../durable-objects/delivery/fan-out.ts";
import { SizeIndex } from "../../durable-objects/delivery/size-index.ts";
import type { Turns } from "../../durable-objects/delivery/spread.ts";
import type { Credit } from "../../src/protocol/frames.ts";
import { OPEN_PERMIT } from "../../src/protocol/permit.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeSocket } from "./fake-socket.ts";

export class FanOutScene {
  readonly clock = new FakeClock();
  readonly dropped: Connection[] = [];
  readonly becameLive: Connection[] = [];
  readonly fanOut: FanOut;
  reads = 0;
  /** Whether pages hold nothing but the newest entry, as where only that counts. */
  isSparse = false;
  head = 1;
  tail = 0;
  readonly #rows: Pick<LogPage, "first" | "count" | "entries">[] = [];
  readonly #sizes = new SizeIndex(0);

  constructor(policy: LaggardPolicy = "replay", turns?: Turns) {
    this.fanOut = new FanOut({
      log: this,
      sizes: this.#sizes,
      frames: {
        deliver: ({ last, entries }, after) => frame(after + 1, last, entries.byteLength),
        latest: ({ seqs, last, entries }) => frame(seqs[0] ?? 0, last, entries.byteLength),
        gap: ({ from, to }) => frame(from, to, 0),
      },
      clock: this.clock,
      policy,
      pageBytes: 1_000,
      turns,
      drop: (connection) => {
        this.dropped.push(connection);
        this.fanOut.remove(connection);
      },
      onLive: (connection) => this.becameLive.push(connection),
    });
  }

  readAfter(
    seq: number,
    { maxBytes, maxEntries }: { maxBytes: number; maxEntries: number },
  ): ReturnType<ReadableLog["readAfter"]> {
    this.reads += 1;
    if (this.isSparse && seq < this.tail) {
      const entries = this.#rows.at(-1)?.entries ?? new Uint8Array();
      return { kind: "latest", seqs: [this.tail], entries, last: this.tail };
    }
    if (seq + 1 < this.head) {
      return { kind: "gap", reason: "trimmed", from: seq + 1, to: this.head - 1 };
    }
    let page: LogPage | undefined;
    for (const { first, count, entries } of this.#rows) {
      const last = first + count - 1;
      if (last <= seq) continue;
      const bytes = (page?.entries.byteLength ?? 0) + entries.byteLength;
      if (page !== undefined && (bytes > maxBytes || last - seq > maxEntries)) break;
      const start = page?.first ?? first;
      const all = new Uint8Array(bytes);
      page = { kind: "page", first: start, count: last - start + 1, entries: all, last };
    }
    const entries = new Uint8Array();
    return page ?? { kind: "page", first: seq + 1, count: 0, entries, last: seq };
  }

  /** Appends a row and hands it out, as a publisher does. */
  flush(count: number, bytes = 10): void {
    const before = this.tail;
    this.#rows.push({ first: before + 1, count, entries: new Uint8Array(bytes) });
    this.tail += count;
    this.fanOut.deliver(frame(before + 1, this.tail, bytes), before);
    this.#sizes.record(this.tail, bytes);
  }

  join(credit: Credit, cursor = this.tail): { socket: FakeSocket; connection: Connection } {
    const socket = new FakeSocket();
    const facts = { id: "c1", door: "member", joinedAt: 0, permit: OPEN_PERMIT } as const;
    const connection = acceptConnection(socket, facts);
    connection.credit = credit;
    this.fanOut.begin(connection, cursor);
    return { socket, connection };
  }
}

/** As long as its entries, so that pages weigh what rows do. */
function frame(from: number, to: number, bytes: number): Uint8Array {
  const data = new Uint8Array(Math.max(4, bytes));
  new DataView(data.buffer).setUint16(0, from);
  new DataView(data.buffer).setUint16(2, to);
  return data;
}
