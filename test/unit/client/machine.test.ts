import { describe, expect, test } from "vitest";
import {
  ASLEEP,
  type Command,
  type Input,
  type Machine,
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
  timer: { readonly at: number; readonly next: "stable" | "due" } | undefined;
  commands: readonly Command[] = [];

  give(input: Input): string {
    const around = { now: this.now, chance: this.chance };
    [this.machine, this.commands] = step(this.machine, input, around);
    for (const command of this.commands) {
      if (command.kind === "wait") this.timer = { at: this.now + command.ms, next: command.next };
      if (command.kind === "drop") this.timer = undefined;
    }
    return this.machine.state.kind;
  }

  fail(failure: Failure = LOST): string {
    return this.give({ kind: "failed", failure });
  }

  open(isBehind = false): string {
    return this.give({ kind: "opened", isBehind });
  }

  /** Lets time pass to the timer. Milliseconds that passed. */
  ring(): number {
    const { timer } = this;
    if (timer === undefined) throw new Error("no timer is set");
    const passed = timer.at - this.now;
    this.now = timer.at;
    this.timer = undefined;
    this.give({ kind: timer.next });
    return passed;
  }

  get kinds(): readonly string[] {
    return this.commands.map(({ kind }) => kind);
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
    bench.give({ kind: "start" });
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
    bench.give({ kind: "start" });
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
    bench.give({ kind: "start" });
    bench.fail({ ...LOST, retryAfterMs: 7_000 });
    expect(bench.machine.state).toEqual({
      kind: "waiting",
      until: bench.now + 7_500,
      because: "network",
    });
    bench.ring();
    bench.give({ kind: "retry", ms: 1_500 });
    bench.fail();
    expect(bench.ring()).toBe(1_500 + 1_000);
  });

  test("[S4] ends where trying again would not help, and stays ended", () => {
    const bench = new Bench();
    bench.give({ kind: "start" });
    bench.open();
    expect(bench.fail(FORBIDDEN)).toBe("closed");
    expect(bench.machine.state).toEqual({ kind: "closed", because: "not_allowed", message: "no" });
    expect(bench.kinds).toEqual(["drop"]);
    for (const kind of ["start", "rest", "online", "due", "stable"] as const) {
      expect(bench.give({ kind })).toBe("closed");
      expect(bench.commands).toEqual([]);
    }
  });

  test("[E2] a refused token is replaced at once, once; a new one that is refused ends it", () => {
    const bench = new Bench();
    bench.give({ kind: "start" });
    expect(bench.commands.at(-1)).toEqual({ kind: "open", refresh: false });
    expect(bench.fail(REFUSED)).toBe("connecting");
    expect(bench.commands.at(-1)).toEqual({ kind: "open", refresh: true });
    expect(bench.fail(REFUSED)).toBe("closed");
  });

  test("[E2] a server that greets and then refuses the new token too is not stormed", () => {
    const bench = new Bench();
    bench.give({ kind: "start" });
    bench.open();
    expect(bench.fail(REFUSED)).toBe("connecting");
    bench.open();
    expect(bench.fail(REFUSED)).toBe("waiting");
    bench.ring();
    expect(bench.commands.at(-1)).toEqual({ kind: "open", refresh: true });
    bench.open();
    bench.ring();
    expect(bench.fail(REFUSED)).toBe("connecting");
  });

  test("[S4] comes back soon when the network or the page does, but not sooner than it may", () => {
    const bench = new Bench();
    bench.give({ kind: "start" });
    for (let attempt = 0; attempt < 6; attempt += 1) {
      bench.fail();
      if (attempt < 5) bench.ring();
    }
    bench.give({ kind: "offline" });
    expect(bench.timer?.at).toBe(bench.now + LONGEST_BACKOFF_MS);
    bench.give({ kind: "online" });
    expect(bench.timer?.at).toBe(bench.now + FIRST_BACKOFF_MS / 2);
    // Once more, and nothing moves back.
    bench.chance = 1;
    bench.give({ kind: "visible" });
    expect(bench.timer?.at).toBe(bench.now + FIRST_BACKOFF_MS / 2);
    bench.ring();
    bench.chance = 0;
    bench.fail({ ...LOST, retryAfterMs: 20_000 });
    bench.give({ kind: "online" });
    expect(bench.timer?.at).toBe(bench.now + 20_000);
  });

  test("[W2] a connection that stands is looked at when the network or the page returns", () => {
    const bench = new Bench();
    bench.give({ kind: "start" });
    bench.open(true);
    for (const kind of ["offline", "online", "visible"] as const) {
      expect(bench.give({ kind })).toBe("catching-up");
      expect(bench.kinds).toEqual(["probe"]);
    }
    expect(bench.give({ kind: "caught-up" })).toBe("live");
  });

  test("[I7] resting gives up the connection and the timer; starting goes on", () => {
    const bench = new Bench();
    bench.give({ kind: "start" });
    bench.open();
    expect(bench.give({ kind: "rest" })).toBe("idle");
    expect(bench.kinds).toEqual(["drop"]);
    expect(bench.fail()).toBe("idle");
    expect(bench.give({ kind: "start" })).toBe("connecting");
  });
});
