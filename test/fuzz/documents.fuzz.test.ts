/**
 * Random lives of documents beside a log that forgets: several people write several documents, some of them
 * without having seen the others, while the room sleeps, chats and trims. What is read must always be what a
 * document has that was told everything. Another set of seeds: FUZZ_SEED=<first> FUZZ_RUNS=<number>.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { applyUpdate, Doc } from "yjs";
import { test } from "vitest";
import { compact } from "../../durable-objects/document/compact.ts";
import type { Documents } from "../../durable-objects/document/documents.ts";
import { openLogWithDocuments } from "../../durable-objects/document/open-log.ts";
import { join } from "../../durable-objects/document/update.ts";
import type { Log } from "../../durable-objects/log/log.ts";
import type { Retention } from "../../durable-objects/log/retention.ts";
import { eventOf } from "../../src/protocol/documents.ts";
import { encodeEntry } from "../../src/protocol/encode-server-frame.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import { MemorySql } from "../support/memory-sql.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { StillClock } from "../support/still-clock.ts";
import { textOf, type Writer, writer } from "../support/writer.ts";

const FIRST = Number(process.env["FUZZ_SEED"] ?? 1);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 60);
const STEPS = 80;
const NAMES = ["notes", "board", "x"] as const;
const PEOPLE = 3;

/** Milliseconds for a seed, on a slow and busy machine. */
const SEED_MS = 1_000;

class Run {
  readonly #random: SeededRandom;
  readonly #clock = new StillClock();
  readonly #sql = new MemorySql();
  readonly #retention: Retention;
  readonly #writers = new Map<string, readonly Writer[]>();
  /** What each document is: one that was told everything. */
  readonly #truth = new Map<string, Doc>();
  /** Documents that were made smaller. */
  compactions = 0;
  #log: Log;
  #documents: Documents;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const random = this.#random;
    this.#retention = {
      ...(random.chance(0.6) ? { maxEntries: random.between(1, 100) } : {}),
      ...(random.chance(0.3) ? { maxBytes: random.between(1, 5_000) } : {}),
      ...(random.chance(0.3) ? { maxAgeMs: random.between(1, 50_000) } : {}),
    };
    for (const [index, name] of NAMES.entries()) {
      const people = Array.from({ length: PEOPLE }, (_, n) => writer(index * PEOPLE + n + 1));
      this.#writers.set(name, people);
      this.#truth.set(name, new Doc());
    }
    ({ log: this.#log, documents: this.#documents } = this.#open());
  }

  step(): void {
    const random = this.#random;
    const dice = random.between(0, 99);
    if (dice < 50) this.#write();
    else if (dice < 60) this.#meet();
    else if (dice < 75) this.#chat(random.between(1, 80));
    else if (dice < 83) ({ log: this.#log, documents: this.#documents } = this.#open());
    else if (dice < 88) this.#clock.time += random.between(1, 100_000);
    else if (dice < 92) this.#log.trim();
    else this.#check(random.pick(NAMES));
  }

  checkAll(): void {
    for (const name of NAMES) this.#check(name);
    strictEqual(this.#sql.openCursors, 0);
  }

  #open(): { readonly log: Log; readonly documents: Documents } {
    return openLogWithDocuments(this.#sql, {
      clock: this.#clock,
      random: this.#random.next,
      retention: this.#retention,
      transact: (run) => {
        this.#sql.transact(run);
      },
      report: ({ cause }) => {
        throw cause;
      },
    });
  }

  /** Somebody changes something, and says it or asks for it to be merged at once. */
  #write(): void {
    const random = this.#random;
    const name = random.pick(NAMES);
    const { doc, text, updates } = this.#one(name);
    const before = updates.length;
    doc.transact(() => {
      for (let n = random.between(1, 4); n > 0; n -= 1) {
        const at = random.between(0, text.length);
        if (random.chance(0.3)) {
          const most = random.chance(0.1) ? text.length : 5;
          text.delete(at, Math.min(random.between(0, most), text.length - at));
        } else text.insert(at, "abc".repeat(random.chance(0.1) ? 20_000 : random.between(1, 20)));
      }
    });
    for (const update of updates.slice(before)) {
      const truth = this.#truth.get(name);
      if (truth !== undefined) applyUpdate(truth, update);
      if (random.chance(0.2)) this.#documents.change(this.#log, name, update);
      else this.#say(eventOf(name), update);
    }
  }

  /** Somebody hears what all others have said so far. */
  #meet(): void {
    const name = this.#random.pick(NAMES);
    const { doc, updates } = this.#one(name);
    const before = updates.length;
    applyUpdate(doc, this.#read(name));
    // Hearing is no saying.
    updates.length = before;
  }

  #chat(count: number): void {
    for (let n = 0; n < count; n += 1) this.#say("chat", "x");
  }

  #say(event: string, payload: unknown): void {
    const raw = encodeValue(payload);
    this.#documents.check(event, raw);
    this.#documents.admit(this.#log, event, raw);
    const entries = encodeEntry({ sender: "ann", at: 0, event, payload: raw, id: "" });
    this.#log.append({ entries, count: 1, ids: "" });
    this.#documents.foldWhenDue(this.#log);
  }

  #check(name: string): void {
    const truth = this.#truth.get(name);
    deepStrictEqual(textOf(this.#read(name)), truth?.getText("text").toJSON());
  }

  /** As the Worker does, which makes it smaller when it has answered. */
  #read(name: string): Uint8Array {
    const { parts, compaction } = this.#documents.read(this.#log, name);
    const state = join(parts);
    const smaller = compaction === undefined ? undefined : compact(parts);
    if (compaction !== undefined && smaller !== undefined) {
      // Something else may be stored before.
      if (this.#random.chance(0.5)) this.#documents.fold(this.#log);
      this.#documents.compact(name, compaction, smaller);
      this.compactions += 1;
    }
    return state;
  }

  #one(name: string): Writer {
    const people = this.#writers.get(name) ?? [];
    const one = people[this.#random.between(0, PEOPLE - 1)];
    if (one === undefined) throw new Error(`nobody writes ${name}`);
    return one;
  }
}

test(
  "[W7][I1][I4] whatever the log forgets, a document is all that was said",
  () => {
    let compactions = 0;
    for (let seed = FIRST; seed < FIRST + RUNS; seed += 1) {
      try {
        const run = new Run(seed);
        for (let step = 0; step < STEPS; step += 1) run.step();
        run.checkAll();
        compactions += run.compactions;
      } catch (cause) {
        throw new Error(`FUZZ_SEED=${seed} FUZZ_RUNS=1`, { cause });
      }
    }
    if (RUNS > 1) ok(compactions > 0);
  },
  RUNS * SEED_MS,
);
