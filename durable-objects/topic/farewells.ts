/**
 * Owns telling sources that their fork is no more, again until they know: who is never told keeps its
 * name for ever. Stored with the deletion itself, so that a crash forgets nobody. Refuses to know how
 * they are told.
 */
import type { Clock } from "../../src/stream/clock.ts";
import type { Meta } from "../log/meta.ts";
import type { ForkPoint } from "./settings.ts";

/** Tells a topic that its fork is no more; rejects when it could not. */
export type LeaveSource = (point: ForkPoint) => Promise<void>;

/** Milliseconds after which a source is told again, doubled each time; some five weeks in all. */
const FIRST_RETRY_MS = 30_000;
const MAX_RETRY_MS = 86_400_000;
const MAX_ATTEMPTS = 45;

const LEAVING = "leaving:";

interface Farewell {
  readonly point: ForkPoint;
  readonly attempts: number;
  /** When to tell again, in milliseconds since 1970. */
  readonly dueAt: number;
}

export class Farewells {
  /** Undefined as long as there is nothing that could be left. */
  readonly #meta: () => Meta | undefined;
  readonly #clock: Clock;
  readonly #tell: LeaveSource;
  #dueAt: number | undefined;

  constructor(meta: () => Meta | undefined, clock: Clock, tell: LeaveSource) {
    this.#meta = meta;
    this.#clock = clock;
    this.#tell = tell;
    this.#look();
  }

  /** When somebody has to be told again, in milliseconds since 1970. */
  get dueAt(): number | undefined {
    return this.#dueAt;
  }

  /** Begins to tell a source. */
  say(point: ForkPoint): void {
    this.#attempt({ point, attempts: 0, dueAt: 0 });
  }

  /** The topic is a fork of this source once more: being told would be wrong. */
  unsay(topic: string): void {
    this.#meta()?.delete(LEAVING + topic);
    this.#look();
  }

  /** Tells those again whose time has come. */
  sweep(): void {
    const now = this.#clock.now();
    if (this.#dueAt === undefined || this.#dueAt > now) return;
    for (const farewell of this.#all()) if (farewell.dueAt <= now) this.#attempt(farewell);
  }

  #attempt({ point, attempts }: Farewell): void {
    const name = LEAVING + point.topic;
    if (attempts >= MAX_ATTEMPTS) {
      this.unsay(point.topic);
      return;
    }
    const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts);
    const dueAt = this.#clock.now() + waitMs;
    const text = JSON.stringify({ point, attempts: attempts + 1, dueAt });
    // Before it is told: what happens then may be that nothing of this runs any more.
    this.#meta()?.set(name, text);
    this.#look();
    this.#tell(point).then(
      () => {
        // A newer one is somebody else's to end.
        if (this.#meta()?.get(name) === text) this.unsay(point.topic);
      },
      () => {},
    );
  }

  #all(): readonly Farewell[] {
    return [...(this.#meta()?.all() ?? [])].flatMap(([name, text]) =>
      // Written above and nowhere else.
      name.startsWith(LEAVING) ? [JSON.parse(text) as Farewell] : [],
    );
  }

  #look(): void {
    const times = this.#all().map(({ dueAt }) => dueAt);
    this.#dueAt = times.length === 0 ? undefined : Math.min(...times);
  }
}
