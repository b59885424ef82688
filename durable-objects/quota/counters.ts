/**
 * Owns how much of each quota one caller has used in the window of time that counts now. Refuses to
 * know who the caller is and what a unit costs.
 *
 * Exact in one direction: never more is given than the limit. What was given ahead and never used
 * (see {@link Want.ahead}) counts as used until its window ends, unless it is brought back.
 */
import { MAX_RESERVATIONS, QUOTA_AHEAD_SHARE } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import { readOne, type Sql, textIn, write } from "../log/sql.ts";

/** What is counted over a window of time. */
export type CounterName = "requests" | "publishes" | "bytes" | "tokens" | "names";

/** How much there is of one quota. */
export interface Limit {
  readonly counter: CounterName;
  readonly limit: number;
  /** Windows begin at multiples of it since 1970, so that days are those of UTC. */
  readonly windowMs: number;
}

/** What somebody wants of one quota. */
export interface Want extends Limit {
  readonly units: number;
  /** Units that would be wanted soon; given as far as there is plenty. */
  readonly ahead: number;
  /** Units that were given ahead in the window that ends at `resetAt`, and not used. */
  readonly returned?: { readonly units: number; readonly resetAt: number } | undefined;
}

/** Where a quota stands. */
export interface Standing {
  readonly counter: CounterName;
  readonly limit: number;
  readonly windowMs: number;
  readonly remaining: number;
  /** When the window ends, in milliseconds since 1970. */
  readonly resetAt: number;
}

/** What was given of one quota, what was wanted included. */
export interface Grant extends Standing {
  readonly granted: number;
}

/** Everything that was wanted, or nothing and the quota that is used up. */
export type Verdict =
  | { readonly ok: true; readonly grants: readonly Grant[] }
  | { readonly ok: false; readonly refused: Standing };

/** What is stored, as one row: each change costs one. */
interface State {
  /** By counter: when its window ends, and what was used in it. */
  readonly used: Partial<Record<CounterName, { readonly resetAt: number; readonly units: number }>>;
  /** By name: what is held for an answer until it is known what it took. */
  readonly reserved: Readonly<Record<string, Reserved>>;
}

interface Reserved {
  readonly resetAt: number;
  readonly units: number;
  /** What it comes to when nobody has said so until then. */
  readonly expected: number;
  readonly until: number;
}

/** Units to be held until it is known how many they were. */
export interface Reserving extends Limit {
  readonly units: number;
  /** What is counted in their place when nobody says so: at most as many. */
  readonly expected: number;
  /** When it certainly could have been said, in milliseconds since 1970. */
  readonly until: number;
}

export class Counters {
  readonly #sql: Sql;
  readonly #clock: Clock;
  #state: State;

  constructor(sql: Sql, clock: Clock) {
    this.#sql = sql;
    this.#clock = clock;
    write(
      sql,
      "CREATE TABLE IF NOT EXISTS quota_used (id INTEGER PRIMARY KEY, state TEXT NOT NULL)",
    );
    const row = readOne(sql, "SELECT state FROM quota_used WHERE id = 1");
    // Written below and by nobody else.
    this.#state =
      row === undefined ? { used: {}, reserved: {} } : (JSON.parse(textIn(row, "state")) as State);
  }

  /** Whether nothing is left that counts: then all of it can be forgotten. */
  get isOver(): boolean {
    const now = this.#clock.now();
    return Object.values(this.#state.used).every(({ resetAt }) => resetAt <= now);
  }

  /** Takes all that is wanted, or nothing. What is brought back counts in either case. */
  take(wants: readonly Want[]): Verdict {
    this.#bringBack(wants);
    const used: State["used"] = { ...this.#state.used };
    const grants: Grant[] = [];
    for (const { ahead, units, ...limited } of wants) {
      const { counter, limit, windowMs } = limited;
      const { resetAt, units: before } = this.#current(limited);
      const free = Math.max(0, limit - before);
      const standing = { counter, limit, windowMs, resetAt };
      if (units > free) return { ok: false, refused: { ...standing, remaining: free } };
      const extra = Math.min(ahead, Math.floor((free - units) / QUOTA_AHEAD_SHARE));
      const granted = units + extra;
      used[counter] = { resetAt, units: before + granted };
      grants.push({ ...standing, remaining: free - granted, granted });
    }
    this.#store({ ...this.#state, used });
    return { ok: true, grants };
  }

  /**
   * Holds units under a name until {@link settle} says how many they were. Given as long as anything
   * is left, so what is used can pass the limit by one reservation, and by what is used beyond those.
   */
  reserve(name: string, { units, expected, until, ...limit }: Reserving): Verdict {
    this.#expire(limit.counter);
    const { counter, windowMs } = limit;
    const { resetAt, units: before } = this.#current(limit);
    const remaining = Math.max(0, limit.limit - before);
    const standing = { counter, limit: limit.limit, windowMs, resetAt };
    if (remaining === 0) return { ok: false, refused: { ...standing, remaining } };
    const open = Object.entries(this.#state.reserved).filter(
      ([other, { resetAt: end }]) => other !== name && end === resetAt,
    );
    this.#store({
      used: { ...this.#state.used, [counter]: { resetAt, units: before + units } },
      // One that is forgotten stays counted as it is.
      reserved: Object.fromEntries([
        ...open.slice(-(MAX_RESERVATIONS - 1)),
        [name, { resetAt, units, expected: Math.min(expected, units), until }],
      ]),
    });
    const left = Math.max(0, remaining - units);
    return { ok: true, grants: [{ ...standing, remaining: left, granted: units }] };
  }

  /** Counts what a reservation came to; once. Of a window that is over, nothing counts any more. */
  settle(name: string, counter: CounterName, units: number): void {
    const { [name]: held, ...reserved } = this.#state.reserved;
    if (held === undefined) return;
    const before = this.#state.used[counter];
    const isCurrent = before?.resetAt === held.resetAt;
    const used = isCurrent
      ? { [counter]: { ...before, units: Math.max(0, before.units - held.units + units) } }
      : {};
    this.#store({ used: { ...this.#state.used, ...used }, reserved });
  }

  /**
   * Settles what nobody has settled in time: the Worker died, or could not tell. Stored with whatever is
   * next; until then it is found again.
   */
  #expire(counter: CounterName): void {
    const now = this.#clock.now();
    const before = this.#state.used[counter];
    let units = before?.units ?? 0;
    const open = Object.entries(this.#state.reserved).filter(([, held]) => {
      if (held.until > now) return true;
      if (held.resetAt === before?.resetAt) units += held.expected - held.units;
      return false;
    });
    if (before === undefined || open.length === Object.keys(this.#state.reserved).length) return;
    this.#state = {
      used: { ...this.#state.used, [counter]: { ...before, units: Math.max(0, units) } },
      reserved: Object.fromEntries(open),
    };
  }

  /** What comes back counts only in the window that it was given in. In memory, until something is stored. */
  #bringBack(wants: readonly Want[]): void {
    for (const { returned, ...limited } of wants) {
      const { resetAt, units } = this.#current(limited);
      if (returned?.resetAt !== resetAt) continue;
      const used = { resetAt, units: Math.max(0, units - returned.units) };
      this.#state = { ...this.#state, used: { ...this.#state.used, [limited.counter]: used } };
    }
  }

  /** What was used in the window of now. A clock that goes back does not open an earlier window again. */
  #current({ counter, windowMs }: Limit): { resetAt: number; units: number } {
    const resetAt = (Math.floor(this.#clock.now() / windowMs) + 1) * windowMs;
    const used = this.#state.used[counter];
    return used !== undefined && used.resetAt >= resetAt ? used : { resetAt, units: 0 };
  }

  #store(state: State): void {
    this.#state = state;
    write(
      this.#sql,
      `INSERT INTO quota_used (id, state) VALUES (1, ?)
       ON CONFLICT (id) DO UPDATE SET state = excluded.state`,
      JSON.stringify(state),
    );
  }
}
