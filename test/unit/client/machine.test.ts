import { describe, expect, test } from "vitest";
import {
  ASLEEP,
  attempt,
  catchUp,
  fail,
  type Input,
  isOpen,
  type Machine,
  notice,
  open,
  rest,
  retryAfter,
  settle,
  start,
  step,
} from "../../../src/client/connection/machine.ts";
import {
  backoff,
  FIRST_BACKOFF_MS,
  LONGEST_BACKOFF_MS,
  STABLE_MS,
} from "../../../src/client/connection/backoff.ts";
import type { Failure } from "../../../src/client/transport.ts";
import { seededRandom } from "../../support/seeded-random.ts";

const LOST: Failure = { code: "network", message: "", reconnect: "backoff" };
const REFUSED: Failure = { code: "unauthorized", message: "", reconnect: "refresh" };
const FORBIDDEN: Failure = { code: "not_allowed", message: "no", reconnect: "no" };

/** A machine with a clock that stands still until its timer is let off. */
class Bench {
  machine: Machine = ASLEEP;
  now = 1_000_000;
  chance = 0.5;
  timer: { readonly at: number; readonly next: Input } | undefined;

  give(input: Input): string {
    const before = this.machine.state;
    this.machine = step(this.machine, input, { now: this.now, chance: this.chance });
    const { state } = this.machine;
    if (state === before) return state.kind;
    if (isOpen(state) && !isOpen(before)) this.timer = { at: this.now + STABLE_MS, next: settle };
    if (!isOpen(state)) this.timer = undefined;
    if (state.kind === "waiting") this.timer = { at: state.until, next: attempt };
    return state.kind;
  }

  fail(failure: Failure = LOST): string {
    return this.give(fail(failure));
  }

  open(isBehind = false): string {
    return this.give(open(isBehind, undefined));
  }

  /** Lets time pass to the timer. Milliseconds that passed. */
  ring(): number {
    const { timer } = this;
    if (timer === undefined) throw new Error("no timer is set");
    const passed = timer.at - this.now;
    this.now = timer.at;
    this.timer = undefined;
    this.give(timer.next);
    return passed;
  }
}

describe("[S4][W3] the machine of a connection", () => {
  test("[S4] waits at random between nothing and a bound that doubles from 1 s to 30 s", () => {
    for (const [attempt, bound] of [1, 2, 4, 8, 16, 30, 30, 30].entries()) {
      expect(backoff(attempt, 0, 0)).toBe(0);
      expect(backoff(attempt, 0, 1)).toBe(bound * 1000);
      expect(backoff(attempt, 0, 0.25)).toBe(bound * 250);
    }
    expect(backoff(5_000, 0, 1)).toBe(LONGEST_BACKOFF_MS);
  });

  test("[S4] half an hour without a server: tries all the time, never a storm, never longer than it says", () => {
    const seed = 20_261_122;
    const random = seededRandom(seed);
    const bench = new Bench();
    bench.give(start);
    const end = bench.now + 30 * 60_000;
    const waits: number[] = [];
    while (bench.now < end) {
      bench.chance = random();
      expect(bench.fail(), `seed ${seed}`).toBe("waiting");
      waits.push(bench.ring());
      expect(bench.machine.state.kind).toBe("connecting");
    }
    for (const [attempt, ms] of waits.entries()) {
      expect(ms).toBeLessThanOrEqual(Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt));
    }
    const late = waits.slice(5);
    const mean = late.reduce((sum, ms) => sum + ms, 0) / late.length;
    expect(mean).toBeGreaterThan(LONGEST_BACKOFF_MS * 0.35);
    expect(mean).toBeLessThan(LONGEST_BACKOFF_MS * 0.65);
    expect(Math.max(...late)).toBeGreaterThan(LONGEST_BACKOFF_MS * 0.9);
    expect(waits.length).toBeGreaterThan(90);
    expect(bench.open()).toBe("live");
  });

  test("[S4][W3] starts counting again only after a connection that stood long enough", () => {
    const bench = new Bench();
    bench.chance = 1;
    bench.give(start);
    for (const bound of [1, 2, 4]) {
      bench.fail();
      expect(bench.ring()).toBe(bound * 1000);
    }
    // Greets and falls over, again and again: no better than not greeting.
    for (const bound of [8, 16, 30]) {
      bench.open();
      bench.now += STABLE_MS - 1;
      bench.fail();
      expect(bench.ring()).toBe(bound * 1000);
    }
    bench.open();
    expect(bench.ring()).toBe(STABLE_MS);
    expect(bench.machine.state.kind).toBe("live");
    bench.fail();
    expect(bench.ring()).toBe(1000);
  });

  test("[S4] stays away as long as the server asks, and a random time on top", () => {
    const bench = new Bench();
    bench.give(start);
    bench.fail({ ...LOST, retryAfterMs: 7_000 });
    expect(bench.machine.state).toEqual({
      kind: "waiting",
      until: bench.now + 7_500,
      because: "network",
    });
    bench.ring();
    bench.give(retryAfter(1_500));
    bench.fail();
    expect(bench.ring()).toBe(1_500 + 1_000);
  });

  test("[S4] ends where trying again would not help, and stays ended", () => {
    const bench = new Bench();
    bench.give(start);
    bench.open();
    expect(bench.fail(FORBIDDEN)).toBe("closed");
    expect(bench.machine.state).toEqual({ kind: "closed", because: "not_allowed", message: "no" });
    expect(bench.timer).toBeUndefined();
    const { machine } = bench;
    for (const input of [start, rest, notice("online"), attempt, settle]) {
      bench.give(input);
      expect(bench.machine).toBe(machine);
    }
  });

  test("[E2] a refused token is replaced at once, once; a new one that is refused ends it", () => {
    const bench = new Bench();
    bench.give(start);
    expect(bench.fail(REFUSED)).toBe("connecting");
    expect(bench.fail(REFUSED)).toBe("closed");
  });

  test("[E2] a server that greets and then refuses the new token too is not stormed", () => {
    const bench = new Bench();
    bench.give(start);
    bench.open();
    expect(bench.fail(REFUSED)).toBe("connecting");
    bench.open();
    expect(bench.fail(REFUSED)).toBe("waiting");
    bench.ring();
    bench.open();
    bench.ring();
    expect(bench.fail(REFUSED)).toBe("connecting");
  });

  test("[S4] comes back soon when the network or the page does, but not sooner than it may", () => {
    const bench = new Bench();
    bench.give(start);
    for (let attempt = 0; attempt < 6; attempt += 1) {
      bench.fail();
      if (attempt < 5) bench.ring();
    }
    bench.give(notice("offline"));
    expect(bench.timer?.at).toBe(bench.now + LONGEST_BACKOFF_MS);
    bench.give(notice("online"));
    expect(bench.timer?.at).toBe(bench.now + FIRST_BACKOFF_MS / 2);
    // Once more, and nothing moves back.
    bench.chance = 1;
    bench.give(notice("visible"));
    expect(bench.timer?.at).toBe(bench.now + FIRST_BACKOFF_MS / 2);
    bench.ring();
    bench.chance = 0;
    bench.fail({ ...LOST, retryAfterMs: 20_000 });
    bench.give(notice("online"));
    expect(bench.timer?.at).toBe(bench.now + 20_000);
    bench.fail();
    bench.ring();
    bench.fail({ ...LOST, retryAfterMs: 90_000 });
    bench.give(notice("offline"));
    expect(bench.timer?.at).toBe(bench.now + 90_000 + LONGEST_BACKOFF_MS);
    bench.give(notice("visible"));
    expect(bench.timer?.at).toBe(bench.now + 90_000);
  });

  test("[W3] a connection that stands stays as it is when the network or the page changes", () => {
    const bench = new Bench();
    bench.give(start);
    bench.open(true);
    const { machine } = bench;
    for (const signal of ["offline", "online", "visible"] as const) bench.give(notice(signal));
    expect(bench.machine).toEqual(machine);
    expect(bench.give(catchUp)).toBe("live");
  });

  test("[I7] resting gives up the connection and the timer; starting goes on", () => {
    const bench = new Bench();
    bench.give(start);
    bench.open();
    expect(bench.give(rest)).toBe("idle");
    expect(bench.timer).toBeUndefined();
    expect(bench.fail()).toBe("idle");
    expect(bench.give(start)).toBe("connecting");
  });
});
