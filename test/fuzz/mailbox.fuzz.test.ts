/**
 * Random lives of a mailbox against a model of a plain array. Each run drives two mailboxes with the
 * same steps: one is opened again at random points, as after a sleep, the other never; both must
 * answer alike. Another set of seeds: FUZZ_SEED=<first> FUZZ_RUNS=<number>.
 */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { test } from "vitest";
import { Mailbox } from "../../durable-objects/log/mailbox.ts";
import { MemorySql } from "../support/memory-sql.ts";
import { SeededRandom } from "../support/seeded-random.ts";
import { StillClock } from "../support/still-clock.ts";

const FIRST = Number(process.env["FUZZ_SEED"] ?? 1);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 400);
const STEPS = 150;
const MEMBERS = ["ann", "bob", "eve"] as const;

interface Letter {
  readonly member: string;
  readonly id: string;
  readonly number: number;
  readonly at: number;
  readonly content: Uint8Array;
  acknowledged: boolean;
}

class Run {
  readonly random: SeededRandom;
  readonly clock = new StillClock();
  readonly sleepy = new MemorySql();
  readonly steady: Mailbox;
  readonly limits: { perMember: number; bytesPerMember: number; total: number; ttlMs: number };
  readonly dedupe: number;
  box: Mailbox;
  letters: Letter[] = [];
  last = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    this.dedupe = this.random.between(1, 10);
    this.limits = {
      perMember: this.random.between(1, 12),
      bytesPerMember: this.random.between(10, 100),
      total: this.random.between(2, 24),
      ttlMs: this.random.between(1_000, 100_000),
    };
    this.steady = this.open(new MemorySql());
    this.box = this.open(this.sleepy);
  }

  open(sql: MemorySql): Mailbox {
    return new Mailbox(sql, { clock: this.clock, limits: { ...this.limits, dedupe: this.dedupe } });
  }

  step(): void {
    const kind = this.random.next();
    if (kind < 0.4) this.put();
    else if (kind < 0.6) this.read();
    else if (kind < 0.75) this.acknowledge();
    else if (kind < 0.83) this.clock.time += this.random.between(-500, 20_000);
    else if (kind < 0.93) this.box = this.open(this.sleepy);
    else if (kind < 0.97) this.both((box) => box.expire());
    else if (kind < 0.98) this.clear();
    deepStrictEqual(this.box.stats, this.steady.stats);
    strictEqual(this.box.expiresAt, this.steady.expiresAt);
    strictEqual(this.sleepy.openCursors, 0);
  }

  both(action: (box: Mailbox) => void): void {
    action(this.box);
    action(this.steady);
  }

  /** What waits for `member`, or for anyone. */
  waiting(member?: string): readonly Letter[] {
    const oldest = this.clock.time - this.limits.ttlMs;
    return this.letters.filter(
      (letter) =>
        !letter.acknowledged &&
        letter.at >= oldest &&
        (member === undefined || letter.member === member),
    );
  }

  put(): void {
    const { random } = this;
    const member = random.pick(MEMBERS);
    const id = random.chance(0.2) ? "" : `${random.between(1, 60)}`;
    const content = new Uint8Array(random.between(1, 12)).fill(random.between(0, 255));
    const mail = { member, sender: "s", id, content };
    const result = this.box.put(mail);
    deepStrictEqual(result, this.steady.put(mail));
    const known = this.letters.findLast((letter) => letter.id === id && id !== "");
    if (result.kind === "duplicate") strictEqual(result.number, known?.number);
    else ok(known === undefined || !this.mustBeKnown(known));
    const own = this.waiting(member);
    const bytes = own.reduce((sum, letter) => sum + letter.content.byteLength, content.byteLength);
    const isFull =
      own.length >= this.limits.perMember ||
      bytes > this.limits.bytesPerMember ||
      this.waiting().length >= this.limits.total;
    if (result.kind === "refused") ok(isFull);
    if (result.kind !== "stored") return;
    ok(!isFull);
    ok(result.number > this.last);
    this.last = result.number;
    const { number, at } = result;
    this.letters.push({ member, id, number, at, content, acknowledged: false });
  }

  /** An id must be known while its message waits, and while it is among the newest acknowledged. */
  mustBeKnown(letter: Letter): boolean {
    if (letter.at < this.clock.time - this.limits.ttlMs) return false;
    if (!letter.acknowledged) return true;
    const newer = this.letters.filter(
      (other) => other.acknowledged && other.number > letter.number,
    );
    return newer.length < this.dedupe;
  }

  read(): void {
    const { random } = this;
    const member = random.pick(MEMBERS);
    const number = random.between(0, this.last);
    const limit = random.between(1, 10);
    const mails = this.box.after(member, number, limit);
    deepStrictEqual(mails, this.steady.after(member, number, limit));
    const expected = this.waiting(member)
      .filter((letter) => letter.number > number)
      .slice(0, limit)
      .map((letter) => ({ number: letter.number, at: letter.at, content: letter.content }));
    deepStrictEqual(mails, expected);
  }

  acknowledge(): void {
    const member = this.random.pick(MEMBERS);
    const number = this.random.between(0, this.last + 1);
    this.both((box) => box.acknowledge(member, number));
    for (const letter of this.letters) {
      if (letter.member === member && letter.number <= number) letter.acknowledged = true;
    }
  }

  clear(): void {
    this.both((box) => box.clear());
    this.letters = [];
  }
}

test(`[I1][I3][I5][W5] mailboxes of seeds ${FIRST} to ${FIRST + RUNS - 1} do what an array does`, () => {
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
