import { beforeEach, describe, expect, test } from "vitest";
import { type Log, openLog } from "../../../durable-objects/log/log.ts";
import { LogError } from "../../../durable-objects/log/log-error.ts";
import { MAX_ROW_BYTES } from "../../../durable-objects/log/limits.ts";
import type { Retention } from "../../../durable-objects/log/retention.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { StillClock } from "../../support/still-clock.ts";

const PAGE = { maxBytes: 1024, maxEntries: 100 };

let sql: MemorySql;
let clock: StillClock;

beforeEach(() => {
  sql = new MemorySql();
  clock = new StillClock();
});

const open = (retention: Retention = {}, prefix?: string): Log =>
  openLog(sql, {
    clock,
    random: () => 0.5,
    retention,
    ...(prefix === undefined ? {} : { prefix }),
  });

/** Appends one row whose every entry is one byte: its sequence number modulo 256. */
function append(log: Log, count = 1): { first: number; last: number; at: number } {
  const entries = Uint8Array.from({ length: count }, (_, index) => log.tail + 1 + index);
  return log.append({ entries, count, ids: "" });
}

/** The sequence numbers on a page. */
function seqsOf(log: Log, seq: number, size = PAGE): readonly number[] {
  const page = log.readAfter(seq, size);
  if (page.kind === "gap") return [];
  return Array.from({ length: page.count }, (_, index) => page.first + index);
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("appending", () => {
  test("[DESIGN] sequence numbers are contiguous from 1, one row a flush", () => {
    const log = open();
    expect(append(log, 3)).toEqual({ first: 1, last: 3, at: clock.time });
    expect(append(log)).toEqual({ first: 4, last: 4, at: clock.time });
    expect(log.stats).toMatchObject({ rows: 2, entries: 4, bytes: 4, head: 1, tail: 4 });
  });

  test("[DESIGN] an append is one statement and one row written", () => {
    const log = open();
    append(log);
    const { statements, rowsWritten } = sql;
    for (let index = 0; index < 100; index += 1) append(log, 5);
    expect(sql.statements - statements).toBe(100);
    expect(sql.rowsWritten - rowsWritten).toBe(100);
    expect(log.stats.rowsWritten).toBe(102);
  });

  test("[I3] time never goes back in a log, though the clock may", () => {
    const log = open();
    append(log);
    clock.time -= 5_000;
    expect(append(log).at).toBe(clock.time + 5_000);
    expect(append(open()).at).toBe(clock.time + 5_000);
  });

  test("[I5] a flush that no row can hold is refused and nothing is stored", () => {
    const log = open();
    const entries = new Uint8Array(MAX_ROW_BYTES);
    expect(() => log.append({ entries, count: 1, ids: "x" })).toThrow(
      new LogError("flush_too_large"),
    );
    expect(() => log.append({ entries: new Uint8Array(), count: 0, ids: "" })).toThrow(
      new LogError("flush_empty"),
    );
    expect(log.stats).toMatchObject({ rows: 0, tail: 0 });
    expect(log.append({ entries, count: 1, ids: "" }).last).toBe(1);
  });

  test("[I2] what a view of a larger buffer shows is stored, and nothing else", () => {
    const log = open();
    log.append({ entries: new Uint8Array([1, 2, 3, 4]).subarray(1, 3), count: 1, ids: "" });
    const page = log.readAfter(0, PAGE);
    expect(page.kind === "page" && page.entries).toEqual(new Uint8Array([2, 3]));
  });
});

describe("reading", () => {
  test("[I3] pages follow each other without gap or duplicate", () => {
    const log = open();
    for (let count = 1; count <= 20; count += 1) append(log, count);
    const seen: number[] = [];
    let seq = 0;
    for (let done = false; !done;) {
      const page = log.readAfter(seq, { maxBytes: 30, maxEntries: 100 });
      if (page.kind !== "page") throw new Error(page.reason);
      seen.push(...page.entries);
      seq = page.last;
      ({ done } = page);
    }
    expect(seen).toEqual(Array.from({ length: 210 }, (_, index) => index + 1));
  });

  test("[I5] a page keeps to its bytes and its entries, but holds one row at least", () => {
    const log = open();
    for (let index = 0; index < 10; index += 1) append(log, 4);
    expect(seqsOf(log, 0, { maxBytes: 12, maxEntries: 100 })).toEqual(range(1, 12));
    expect(seqsOf(log, 0, { maxBytes: 15, maxEntries: 100 })).toEqual(range(1, 12));
    expect(seqsOf(log, 0, { maxBytes: 100, maxEntries: 8 })).toEqual(range(1, 8));
    expect(seqsOf(log, 0, { maxBytes: 1, maxEntries: 1 })).toEqual(range(1, 4));
  });

  test("[I3] a position in the middle of a row gives that row", () => {
    const log = open();
    append(log, 4);
    append(log, 4);
    expect(seqsOf(log, 2)).toEqual(range(1, 8));
    expect(seqsOf(log, 4)).toEqual(range(5, 8));
    expect(log.readAfter(8, PAGE)).toEqual({
      kind: "page",
      first: 9,
      count: 0,
      entries: new Uint8Array(),
      last: 8,
      done: true,
    });
  });

  test("[B4] 100,000 entries are paged with few statements and no open cursor", () => {
    const log = open();
    for (let index = 0; index < 10_000; index += 1) append(log, 10);
    const { statements } = sql;
    let entries = 0;
    let largest = 0;
    for (let seq = 0, done = false; !done;) {
      const page = log.readAfter(seq, { maxBytes: 500, maxEntries: 10_000 });
      if (page.kind !== "page") throw new Error(page.reason);
      entries += page.count;
      largest = Math.max(largest, page.entries.byteLength);
      seq = page.last;
      ({ done } = page);
    }
    expect(entries).toBe(100_000);
    expect(largest).toBe(500);
    expect(sql.statements - statements).toBe(200);
    expect(sql.openCursors).toBe(0);
  });

  test("[I5] what does not fit a page is not loaded either", () => {
    const log = open();
    for (let index = 0; index < 50; index += 1) {
      log.append({ entries: new Uint8Array(100_000), count: 1, ids: "" });
    }
    expect(seqsOf(log, 10, { maxBytes: 250_000, maxEntries: 100 })).toEqual([11, 12]);
    expect(sql.blobBytesRead).toBe(200_000);
  });

  test("[I2] a page is the stored bytes, whatever they are", () => {
    const log = open();
    const bytes = Uint8Array.from({ length: 512 }, (_, index) =>
      index < 256 ? index : 511 - index,
    );
    for (const byte of bytes) log.append({ entries: new Uint8Array([byte]), count: 1, ids: "" });
    log.append({ entries: bytes, count: 1, ids: "" });
    const page = log.readAfter(0, { maxBytes: 1024, maxEntries: 1000 });
    expect(page.kind === "page" && page.entries).toEqual(new Uint8Array([...bytes, ...bytes]));
  });

  test("[I5] a page is never larger than the platform lets a value be", () => {
    const log = open();
    for (let index = 0; index < 5; index += 1) {
      log.append({ entries: new Uint8Array(800_000), count: 1, ids: "" });
    }
    expect(seqsOf(log, 0, { maxBytes: 1e9, maxEntries: 1e9 })).toEqual([1, 2]);
  });

  test("[I7] whoever stops reading ids leaves no cursor open", () => {
    const log = open();
    for (let index = 0; index < 5; index += 1) append(log);
    for (const row of log.newestIds(5)) {
      expect(row.first).toBe(5);
      break;
    }
    expect(sql.openCursors).toBe(0);
  });

  test("[B4] no statement scans a table", () => {
    const log = open({ maxEntries: 100 });
    for (let index = 0; index < 300; index += 1) append(log);
    seqsOf(open(), 250);
    for (const row of log.newestIds(3)) expect(row.ids).toBe("");
    log.reset();
    const plans = sql.queries
      .filter((query) => /^\s*(SELECT|DELETE|UPDATE)/.test(query))
      .flatMap((query) => sql.explain(query));
    expect(plans.length).toBeGreaterThan(5);
    expect(plans.filter((plan) => /SCAN log_|TEMP B-TREE/.test(plan))).toEqual([]);
  });
});

describe("positions", () => {
  test("[I4] a position of this log is where its reader goes on", () => {
    const log = open();
    append(log, 5);
    for (const seq of [0, 3, 5]) {
      expect(log.resolve({ epoch: log.epoch, seq })).toEqual({ kind: "from", seq });
    }
    expect(log.resolve("start")).toEqual({ kind: "from", seq: 0 });
    expect(log.resolve("now")).toEqual({ kind: "from", seq: 5 });
    expect(log.resolve({ newest: 2 })).toEqual({ kind: "from", seq: 3 });
    expect(log.resolve({ newest: 50 })).toEqual({ kind: "from", seq: 0 });
    expect(log.resolve({ newest: -1 })).toEqual({ kind: "from", seq: 5 });
  });

  test("[I4] a position that was trimmed is answered by what is lost", () => {
    const log = open({ maxEntries: 2 });
    for (let index = 0; index < 10; index += 1) append(log);
    log.trim();
    const gap = { kind: "gap", reason: "trimmed", from: 4, to: 8 };
    expect(log.resolve({ epoch: log.epoch, seq: 3 })).toEqual(gap);
    expect(log.readAfter(3, PAGE)).toEqual(gap);
    expect(log.resolve({ epoch: log.epoch, seq: 8 })).toEqual({ kind: "from", seq: 8 });
    expect(log.resolve("start")).toEqual({ kind: "from", seq: 8 });
    expect(log.resolve({ newest: 5 })).toEqual({ kind: "from", seq: 8 });
    expect(seqsOf(log, gap.to)).toEqual([9, 10]);
  });

  test("[I4] a position of another epoch or of the future is no position of this log", () => {
    const log = open();
    append(log, 3);
    expect(log.resolve({ epoch: "00000000000", seq: 2 })).toEqual({
      kind: "gap",
      reason: "epoch",
      from: 0,
      to: 0,
    });
    const future = { kind: "gap", reason: "future", from: 0, to: 3 };
    expect(log.resolve({ epoch: log.epoch, seq: 4 })).toEqual(future);
    expect(log.readAfter(4, PAGE)).toEqual(future);
  });
});

describe("ending", () => {
  test("[I6] the first terminal counts, whoever closes again, and survives a sleep", () => {
    const log = open();
    append(log);
    const terminal = log.close({ outcome: "completed", data: "42" });
    clock.time += 1000;
    expect(log.close({ outcome: "failed", data: "" })).toEqual(terminal);
    const again = open();
    expect(again.state).toEqual({ kind: "closed", terminal });
    expect(again.close({ outcome: "interrupted", data: "" })).toEqual(terminal);
    expect(() => append(again)).toThrow(new LogError("log_closed"));
    expect(seqsOf(again, 0)).toEqual([1]);
  });

  test("[I6] the terminal outlives the entries", () => {
    const log = open({ maxAgeMs: 1000 });
    append(log);
    const terminal = log.close({ outcome: "stopped", data: "" });
    clock.time += 10_000;
    expect(open({ maxAgeMs: 1000 }).stats.rows).toBe(0);
    expect(open().state).toEqual({ kind: "closed", terminal });
  });
});

describe("starting again", () => {
  test("[I4] a reset forgets everything and begins a later epoch", () => {
    const log = open();
    append(log, 3);
    log.settings.set("ttl", "60");
    log.close({ outcome: "completed", data: "" });
    const before = log.epoch;
    clock.time -= 60_000;
    log.reset();
    expect(log.epoch > before).toBe(true);
    expect(open().epoch).toBe(log.epoch);
    expect(log.state).toEqual({ kind: "open" });
    expect(log.settings.all()).toEqual(new Map());
    expect(log.resolve({ epoch: before, seq: 3 })).toMatchObject({ reason: "epoch", to: 0 });
    expect(append(log).first).toBe(1);
  });

  test("[I1] opening after a sleep costs the same few statements, however long the log is", () => {
    open();
    const costs = [0, 1, 5000].map((rows) => {
      const log = open();
      for (let index = 0; index < rows; index += 1) append(log);
      const { statements, rowsWritten } = sql;
      expect(open().stats).toMatchObject({ tail: log.tail, bytes: log.stats.bytes });
      expect(sql.rowsWritten).toBe(rowsWritten);
      return sql.statements - statements;
    });
    expect(costs).toEqual([5, 5, 5]);
  });

  test("[DESIGN] two logs in one database do not meet", () => {
    const one = open({}, "one");
    const two = open({}, "two");
    append(one, 3);
    append(two);
    one.reset();
    expect([one.tail, two.tail]).toEqual([0, 1]);
    expect(() => open({}, "x; DROP")).toThrow(TypeError);
  });
});
