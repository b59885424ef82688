import { beforeEach, describe, expect, test } from "vitest";
import { type Log, openLog } from "../../../durable-objects/log/log.ts";
import type { Retention } from "../../../durable-objects/log/retention.ts";
import { MemorySql } from "../../support/memory-sql.ts";
import { StillClock } from "../../support/still-clock.ts";

const DAY = 24 * 60 * 60 * 1000;

let sql: MemorySql;
let clock: StillClock;

beforeEach(() => {
  sql = new MemorySql();
  clock = new StillClock();
});

const open = (retention: Retention): Log => openLog(sql, { clock, random: () => 0, retention });

function append(log: Log, size = 1, count = 1): void {
  log.append({ entries: new Uint8Array(size), count, ids: "" });
}

describe("trimming", () => {
  test("[I4] what an owner forgets goes in whole rows, and never beyond", () => {
    const log = open({});
    append(log, 3, 3);
    append(log, 2, 2);
    append(log);
    log.forget(2);
    expect(log.head).toBe(1);
    log.forget(3);
    expect(log.head).toBe(4);
    log.forget(1);
    expect(log.head).toBe(4);
    log.forget(100);
    expect([log.head, log.tail]).toEqual([7, 6]);
    // The log goes on where it was, also after a sleep.
    append(open({}));
    expect([open({}).head, open({}).tail]).toEqual([7, 7]);
  });

  test("[I5] at least what is promised is kept, and not much more", () => {
    const log = open({ maxEntries: 1000 });
    for (let index = 0; index < 10_000; index += 1) {
      append(log);
      const { entries } = log.stats;
      expect(entries).toBeGreaterThanOrEqual(Math.min(1000, index + 1));
      expect(entries).toBeLessThanOrEqual(1000 + 126);
    }
  });

  test("[I5] bytes bound a log as entries do", () => {
    const log = open({ maxBytes: 1_000_000 });
    for (let index = 0; index < 500; index += 1) append(log, 10_000);
    expect(log.stats.bytes).toBeGreaterThanOrEqual(1_000_000);
    expect(log.stats.bytes).toBeLessThanOrEqual(1_125_000 + 10_000);
  });

  test("[I5] a trim keeps the rows that reach into the limit, and no other", () => {
    for (const [retention, rows] of [
      [{ maxBytes: 30 }, 3],
      [{ maxBytes: 31 }, 4],
      [{ maxEntries: 6 }, 3],
      [{ maxEntries: 7 }, 4],
    ] as const) {
      sql = new MemorySql();
      const log = open(retention);
      for (let index = 0; index < 10; index += 1) append(log, 10, 2);
      log.trim();
      expect(log.stats.rows).toBe(rows);
    }
  });

  test("[DESIGN] a trim is two statements and rare", () => {
    const log = open({ maxEntries: 1000 });
    const { statements, rowsWritten } = sql;
    for (let index = 0; index < 10_000; index += 1) append(log);
    // 10,000 inserts and a trim of two statements per 125 entries over the limit.
    expect(sql.statements - statements - 10_000).toBeLessThanOrEqual((9_000 / 125) * 2);
    // A row is written once and deleted at most once.
    expect(sql.rowsWritten - rowsWritten).toBeLessThanOrEqual(10_000 + 9_000);
  });

  test("[DESIGN] a small limit does not make every append a trim", () => {
    const log = open({ maxEntries: 1, maxBytes: 1 });
    const { statements } = sql;
    for (let index = 0; index < 1000; index += 1) append(log);
    expect(sql.statements - statements).toBeLessThanOrEqual(1000 + 2 * (1000 / 64));
  });

  test("[I4] the newest row stays, however large it is and however small the limits are", () => {
    const log = open({ maxEntries: 1, maxBytes: 1 });
    append(log, 1000, 10);
    append(log, 1000, 10);
    log.trim();
    expect(log.stats).toMatchObject({ rows: 1, head: 11, tail: 20 });
    log.trim();
    expect(log.stats).toMatchObject({ rows: 1, head: 11, tail: 20 });
  });

  test("[I4] age removes everything, and the log goes on where it was, also after a sleep", () => {
    const log = open({ maxAgeMs: DAY });
    append(log, 7, 3);
    append(log, 7, 3);
    clock.time += 2 * DAY;
    expect(log.readAfter(2, { maxBytes: 1, maxEntries: 1 })).toEqual({
      kind: "gap",
      reason: "trimmed",
      from: 3,
      to: 6,
    });
    for (const each of [log, open({ maxAgeMs: DAY })]) {
      expect(each.stats).toMatchObject({ rows: 0, entries: 0, bytes: 0, head: 7, tail: 6 });
      expect(each.trimAt).toBeUndefined();
    }
    append(log);
    expect(open({}).stats).toMatchObject({ rows: 1, entries: 1, bytes: 1, head: 7, tail: 7 });
  });

  test("[DESIGN] the age of the oldest row says when an alarm is needed", () => {
    const log = open({ maxAgeMs: DAY });
    expect(log.trimAt).toBeUndefined();
    append(log);
    clock.time += 1000;
    append(log);
    const due = log.trimAt ?? 0;
    expect(due).toBe(clock.time - 1000 + DAY + 60_000);
    expect(open({ maxAgeMs: DAY }).trimAt).toBe(due);
    clock.time = due;
    expect(log.resolve("start")).toEqual({ kind: "from", seq: 0 });
    clock.time = due + 1;
    expect(log.resolve("start")).toEqual({ kind: "from", seq: 2 });
  });

  test("[DESIGN] opening an old log trims it", () => {
    append(open({}));
    clock.time += 2 * DAY;
    expect(open({ maxAgeMs: DAY }).stats).toMatchObject({ rows: 0, tail: 1 });
  });
});
