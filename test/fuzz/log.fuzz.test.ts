/**
 * Random lives of a log against a model of plain arrays. Each run drives two logs with the same steps:
 * one is opened again at random points, as after a sleep, the other never; both must answer alike.
 * Another set of seeds: FUZZ_SEED=<first> FUZZ_RUNS=<number>.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "vitest";
import { DedupeWindow } from "../../durable-objects/log/dedupe-window.ts";
import {
  type From,
  type Gap,
  type Log,
  openLog,
  type Page,
} from "../../durable-objects/log/log.ts";
import { encodeKeys, nameOf } from "../../durable-objects/log/message-key.ts";
import type { Retention } from "../../durable-objects/log/retention.ts";
import { MemorySql } from "../support/memory-sql.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { StillClock } from "../support/still-clock.ts";

const FIRST = Number(process.env["FUZZ_SEED"] ?? 1);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 300);
const STEPS = 120;
const WINDOW = 40;
const LONGEST_ROW = 200;

/** One entry as the model remembers it. */
interface Entry {
  /** The bytes of its row. */
  readonly flush: Uint8Array;
  readonly id: string;
  readonly at: number;
  /** First entry of its row. */
  readonly first: number;
  /** Bytes of the log up to the end of its row. */
  readonly total: number;
}

class Run {
  readonly random: SeededRandom;
  readonly clock = new StillClock();
  readonly retention: Retention;
  readonly sleepy = new MemorySql();
  readonly steady: Log;
  readonly steadyWindow: DedupeWindow;
  /** Two sources of chance in step, one for each log. */
  readonly chances: readonly [SeededRandom, SeededRandom];
  log: Log;
  window: DedupeWindow;
  entries: Entry[] = [];
  epochs: string[];
  terminal: unknown;
  head = 1;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.chances = [new SeededRandom(seed), new SeededRandom(seed)];
    this.retention = {
      ...(this.random.chance(0.5) ? { maxEntries: this.random.between(1, 300) } : {}),
      ...(this.random.chance(0.5) ? { maxBytes: this.random.between(1, 200_000) } : {}),
      ...(this.random.chance(0.5) ? { maxAgeMs: this.random.between(1, 100_000) } : {}),
    };
    this.steady = this.open(new MemorySql(), this.chances[0]);
    this.steadyWindow = new DedupeWindow(this.steady, WINDOW);
    this.log = this.open(this.sleepy, this.chances[1]);
    this.window = new DedupeWindow(this.log, WINDOW);
    this.epochs = [this.log.epoch];
  }

  open(sql: MemorySql, chance: SeededRandom): Log {
    return openLog(sql, { clock: this.clock, random: chance.next, retention: this.retention });
  }

  step(): void {
    const { random } = this;
    const kind = random.next();
    if (kind < 0.4) this.append();
    else if (kind < 0.6) this.read();
    else if (kind < 0.7) this.resolve();
    else if (kind < 0.76) this.trim();
    else if (kind < 0.86) this.tick();
    else if (kind < 0.96) this.reopen();
    else if (kind < 0.98) this.close();
    else this.reset();
    this.check();
  }

  append(): void {
    const { random } = this;
    const count = random.chance(0.2) ? random.between(1, LONGEST_ROW) : random.between(1, 3);
    const padding = random.chance(0.1) ? random.between(1, 10_000) : 0;
    const ids = Array.from({ length: count }, () =>
      random.chance(0.3) ? "" : `${random.between(1, 80)}`,
    );
    const keys = ids.map((id) => ({ sender: "s", id }));
    const entries = Uint8Array.from({ length: count + padding }, () => random.between(0, 255));
    const flush = {
      entries,
      count,
      ids: encodeKeys(keys),
    };
    if (this.terminal !== undefined) {
      for (const log of [this.log, this.steady]) {
        let code: unknown;
        try {
          log.append(flush);
        } catch (error) {
          code = (error as { code?: unknown }).code;
        }
        strictEqual(code, "log_closed");
      }
      return;
    }
    const first = this.entries.length + 1;
    const at = Math.max(this.clock.time, this.entries.at(-1)?.at ?? 0);
    const appended = { first, last: first + count - 1, at };
    deepStrictEqual(this.log.append(flush), appended);
    deepStrictEqual(this.steady.append(flush), appended);
    this.window.remember(first, keys.map(nameOf));
    this.steadyWindow.remember(first, keys.map(nameOf));
    const total = (this.entries.at(-1)?.total ?? 0) + entries.byteLength;
    for (const id of ids) this.entries.push({ flush: entries, id, at, first, total });
  }

  read(): void {
    const { random } = this;
    const seq = random.between(0, this.entries.length + (random.chance(0.1) ? 5 : 0));
    const size = { maxBytes: random.between(1, 100_000), maxEntries: random.between(1, 300) };
    const page = this.log.readAfter(seq, size);
    deepStrictEqual(page, this.steady.readAfter(seq, size));
    if (page.kind === "gap") this.checkGap(page, seq);
    else this.checkPage(page, seq, size);
  }

  checkPage(page: Page, seq: number, size: { maxBytes: number; maxEntries: number }): void {
    ok(seq >= this.log.head - 1 && seq <= this.entries.length);
    strictEqual(page.done, page.last === this.entries.length);
    strictEqual(page.last, page.first + page.count - 1);
    const kept = this.entries.slice(page.first - 1, page.last);
    strictEqual(page.first, kept[0]?.first ?? seq + 1);
    ok(page.first <= seq + 1 && (page.last > seq || seq === this.entries.length));
    // The last row is whole, and the bytes are those of the rows, one after the other.
    ok(page.done || this.entries[page.last]?.first === page.last + 1);
    const rows = new Set(kept.map(({ flush }) => flush));
    let offset = 0;
    for (const row of rows) {
      deepStrictEqual(page.entries.subarray(offset, offset + row.byteLength), row);
      offset += row.byteLength;
    }
    strictEqual(page.entries.byteLength, offset);
    if (rows.size > 1) ok(offset <= size.maxBytes && page.last - seq <= size.maxEntries);
  }

  checkGap(gap: Gap, seq: number): void {
    const tail = this.entries.length;
    if (seq > tail) deepStrictEqual(gap, { kind: "gap", reason: "future", from: 0, to: tail });
    else {
      ok(seq < this.log.head - 1);
      const to = this.log.head - 1;
      deepStrictEqual(gap, { kind: "gap", reason: "trimmed", from: seq + 1, to });
    }
  }

  resolve(): void {
    const { random } = this;
    const seq = random.between(0, this.entries.length + 3);
    const epoch = random.chance(0.7) ? this.log.epoch : (this.epochs[0] ?? "");
    const from = random.pick<From>([{ epoch, seq }, "start", "now", { newest: seq }]);
    const answer = this.log.resolve(from);
    deepStrictEqual(answer, this.steady.resolve(from));
    const { head } = this.log;
    if (answer.kind === "from") {
      ok(answer.seq >= head - 1 && answer.seq <= this.entries.length);
    } else if (answer.reason === "epoch") {
      ok(epoch !== this.log.epoch);
      deepStrictEqual([answer.from, answer.to], [0, head - 1]);
    } else this.checkGap(answer, seq);
  }

  trim(): void {
    this.log.trim();
    this.steady.trim();
    const { maxEntries = Infinity, maxBytes = Infinity, maxAgeMs = Infinity } = this.retention;
    const bytes = this.entries.at(-1)?.total ?? 0;
    const kept = this.entries.find(
      ({ at, total }, index) =>
        index >= this.entries.length - maxEntries &&
        total > bytes - maxBytes &&
        at >= this.clock.time - maxAgeMs,
    );
    strictEqual(this.log.head, Math.max(this.head, kept?.first ?? this.entries.length + 1));
  }

  tick(): void {
    const far = this.random.chance(0.2) ? 300_000 : 5_000;
    this.clock.time += this.random.between(-1_000, far);
  }

  reopen(): void {
    this.log = this.open(this.sleepy, this.chances[1]);
    this.window = new DedupeWindow(this.log, WINDOW);
    // Opening removes what is too old; so does any read.
    this.steady.resolve("now");
  }

  close(): void {
    const outcome = this.random.pick<"completed" | "failed">(["completed", "failed"]);
    const end = { outcome, data: `${this.clock.time}` };
    const terminal = this.log.close(end);
    deepStrictEqual(terminal, this.steady.close(end));
    this.terminal ??= terminal;
    deepStrictEqual(terminal, this.terminal);
  }

  reset(): void {
    this.log.reset();
    this.steady.reset();
    ok(this.epochs.every((epoch) => epoch < this.log.epoch));
    this.epochs.push(this.log.epoch);
    this.entries = [];
    this.terminal = undefined;
    this.head = 1;
  }

  check(): void {
    const { log, steady, retention, entries } = this;
    const { rowsWritten: _one, ...stats } = log.stats;
    const { rowsWritten: _other, ...same } = steady.stats;
    deepStrictEqual(stats, same);
    deepStrictEqual(log.state, steady.state);
    strictEqual(log.state.kind === "closed", this.terminal !== undefined);
    strictEqual(log.epoch, steady.epoch);
    strictEqual(log.epoch, this.epochs.at(-1));
    strictEqual(log.trimAt, steady.trimAt);
    strictEqual(log.tail, entries.length);
    strictEqual(this.sleepy.openCursors, 0);
    ok(log.head >= this.head && log.head <= log.tail + 1);
    strictEqual(entries[log.head - 1]?.first ?? log.head, log.head);
    this.head = log.head;
    let rows = 0;
    for (let seq = log.tail; seq >= log.head; seq = (entries[seq - 1]?.first ?? 0) - 1) rows += 1;
    strictEqual(stats.rows, rows);
    // Without an age limit, the newest entries that were promised are there.
    if (retention.maxAgeMs === undefined) {
      const promised = retention.maxBytes === undefined ? (retention.maxEntries ?? log.tail) : 1;
      ok(stats.entries >= Math.min(promised, log.tail));
    }
    const limit = retention.maxEntries ?? Number.POSITIVE_INFINITY;
    // The slack or the rest of the row at the limit, and the row appended since.
    ok(stats.entries <= limit + Math.max(limit / 8, 64, LONGEST_ROW) + LONGEST_ROW);
    this.checkWindow();
  }

  checkWindow(): void {
    const id = `${this.random.between(1, 80)}`;
    const seq = this.entries.findLastIndex((entry) => entry.id === id) + 1;
    const isKnown = seq > this.entries.length - WINDOW && seq > 0;
    // The ids of trimmed entries may be known or not.
    if (isKnown && seq < this.log.head) return;
    for (const window of [this.window, this.steadyWindow]) {
      strictEqual(window.find(nameOf({ sender: "s", id })), isKnown ? seq : undefined);
    }
  }
}

test(`[I1][I3][I4][I6] logs of seeds ${FIRST} to ${FIRST + RUNS - 1} do what arrays do`, () => {
  for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
    const run = new Run(seed);
    for (let step = 0; step < STEPS; step += 1) {
      try {
        run.step();
      } catch (error) {
        throw new Error(`FUZZ_SEED=${seed} fails at step ${step}`, { cause: error });
      }
    }
  }
});
