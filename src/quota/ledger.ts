/**
 * Owns what callers have left of their quotas as far as one isolate knows: what was given to it ahead
 * is spent without asking. Refuses to know who is asked.
 *
 * Who comes seldom is given nothing ahead, so that nothing is lost when the isolate ends; who is busy
 * is given twice as much each time, which never is more than it has just used.
 */
import type {
  CounterName,
  Grant,
  Limit,
  Standing,
  Verdict,
  Want,
} from "../../durable-objects/quota/counters.ts";
import {
  MAX_KNOWN_NAMES,
  MAX_LEDGER_CALLERS,
  QUOTA_AHEAD_MAX,
  QUOTA_BUSY_MS,
  QUOTA_REFUSED_MS,
} from "../protocol/limits.ts";
import type { Clock } from "../stream/clock.ts";

/** Asks whoever keeps a caller's quotas. */
export type Take = (wants: readonly Want[]) => Promise<Verdict>;

/** So much of a quota. */
export interface Spending extends Limit {
  readonly units: number;
}

/** So much that was spent, of the window that ends then. */
export type Spent = Pick<Spending, "counter" | "units"> & Pick<Standing, "resetAt">;

/** What an isolate knows of one quota of a caller. */
interface Lease {
  standing: Standing;
  /** Units that are here to be spent. */
  left: number;
  takenAt: number;
  /** Multiples of what was wanted that were asked for ahead. */
  factor: number;
  refusedUntil: number;
  /** For so many units; fewer may still be there. */
  refusedUnits: number;
}

interface Account {
  readonly leases: Map<CounterName, Lease>;
  readonly names: Set<string>;
}

export class Ledger {
  readonly #clock: Clock;
  readonly #accounts = new Map<string, Account>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Spends all of it, or nothing: then the quota that is used up. Where the quotas stand is told either way.
   *
   * @throws what `take` throws.
   */
  async spend(
    caller: string,
    spendings: readonly Spending[],
    take: Take,
  ): Promise<{ readonly refused?: Standing; readonly standings: readonly Standing[] }> {
    const { leases } = this.#account(caller);
    const now = this.#clock.now();
    const here: Spent[] = [];
    const missing: Spending[] = [];
    for (const spending of spendings) {
      const lease = leases.get(spending.counter);
      const isCurrent = lease !== undefined && now < lease.standing.resetAt;
      if (isCurrent && now < lease.refusedUntil && spending.units >= lease.refusedUnits) {
        return { refused: lease.standing, standings: [lease.standing] };
      }
      if (isCurrent && lease.left >= spending.units) {
        here.push({ ...spending, resetAt: lease.standing.resetAt });
      } else missing.push(spending);
    }
    // Before anything is waited for: others spend meanwhile.
    for (const spending of here) put(leases, spending, -spending.units);
    if (missing.length > 0) {
      const putBack = (): void => {
        for (const spent of here) giveBack(leases, spent);
      };
      const wants = missing.map((spending) => this.#want(leases, spending));
      const verdict = await take(wants).catch((thrown: unknown) => {
        // What was missing may have been counted; what was here was not asked for.
        putBack();
        throw thrown;
      });
      if (!verdict.ok) {
        putBack();
        this.#refuse(leases, verdict.refused, missing);
        return { refused: verdict.refused, standings: [verdict.refused] };
      }
      for (const grant of verdict.grants) this.#grant(leases, grant);
      for (const spending of missing) put(leases, spending, -spending.units);
    }
    const standings = spendings.flatMap(({ counter }) => {
      const lease = leases.get(counter);
      if (lease === undefined) return [];
      const { standing, left } = lease;
      return [{ ...standing, remaining: standing.remaining + left }];
    });
    return { standings };
  }

  /** Takes back what was spent on something that was not done after all. */
  giveBack(caller: string, spent: Spent): void {
    giveBack(this.#account(caller).leases, spent);
  }

  /** How many of these names the caller has not turned to before, here. */
  countNew(caller: string, names: readonly string[]): number {
    const { names: known } = this.#account(caller);
    return [...new Set(names)].filter((name) => !known.has(name)).length;
  }

  /** From now on the caller has turned to these names. Said when they are paid for, and not before. */
  learn(caller: string, names: readonly string[]): void {
    const { names: known } = this.#account(caller);
    for (const name of names) {
      // Again the newest.
      known.delete(name);
      known.add(name);
      if (known.size > MAX_KNOWN_NAMES) forgetOldest(known);
    }
  }

  #account(caller: string): Account {
    const account = this.#accounts.get(caller) ?? { leases: new Map(), names: new Set() };
    // Again the newest.
    this.#accounts.delete(caller);
    this.#accounts.set(caller, account);
    if (this.#accounts.size > MAX_LEDGER_CALLERS) forgetOldest(this.#accounts);
    return account;
  }

  /** What is here goes back and is asked for anew, so that it is counted once. */
  #want(leases: Account["leases"], { units, ...limit }: Spending): Want {
    const now = this.#clock.now();
    const lease = leases.get(limit.counter);
    if (lease === undefined) return { ...limit, units, ahead: 0 };
    const isBusy = now - lease.takenAt < QUOTA_BUSY_MS;
    lease.factor = isBusy ? Math.min(QUOTA_AHEAD_MAX, Math.max(1, 2 * lease.factor)) : 0;
    const returned =
      lease.left === 0 ? undefined : { units: lease.left, resetAt: lease.standing.resetAt };
    lease.left = 0;
    return { ...limit, units, ahead: units * lease.factor, returned };
  }

  #grant(leases: Account["leases"], { granted, ...standing }: Grant): void {
    const lease = leases.get(standing.counter);
    // Another request may have been given something at the same time.
    const kept = lease?.standing.resetAt === standing.resetAt ? lease.left : 0;
    leases.set(standing.counter, {
      standing,
      left: kept + granted,
      takenAt: this.#clock.now(),
      factor: lease?.factor ?? 0,
      refusedUntil: 0,
      refusedUnits: 0,
    });
  }

  #refuse(leases: Account["leases"], standing: Standing, missing: readonly Spending[]): void {
    const now = this.#clock.now();
    const asked = missing.find(({ counter }) => counter === standing.counter);
    leases.set(standing.counter, {
      standing,
      left: 0,
      takenAt: now,
      factor: 0,
      refusedUntil: now + QUOTA_REFUSED_MS,
      refusedUnits: asked?.units ?? 0,
    });
  }
}

/** What was spent in a window that is over is no part of the one after it. */
function giveBack(leases: Account["leases"], spent: Spent): void {
  if (leases.get(spent.counter)?.standing.resetAt === spent.resetAt) {
    put(leases, spent, spent.units);
  }
}

/** Changes what is here of a quota. */
function put(leases: Account["leases"], { counter }: Pick<Spent, "counter">, units: number): void {
  const lease = leases.get(counter);
  if (lease !== undefined) lease.left = Math.max(0, lease.left + units);
}

/** Both keep the order in which things were put in. */
function forgetOldest(kept: Map<string, unknown> | Set<string>): void {
  for (const key of kept.keys()) {
    kept.delete(key);
    return;
  }
}
