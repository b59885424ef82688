/**
 * Owns the replicas that follow a log: each is handed what it lacks, one page after the other, as fast as it takes
 * them. Refuses to know what a replica does with it, and the platform.
 *
 * Who follows is stored; how far each is, it says itself with every answer. So a push may be lost, repeated or
 * overtaken, and the object may be killed in the middle of one.
 */
import { SluiceError } from "../../src/protocol/errors.ts";
import type { Clock, Random } from "../../src/stream/clock.ts";
import type { Log } from "../log/log.ts";
import type { Push, PushAnswer } from "./feed.ts";
import { FIRST_PUSH_PAUSE_MS, MAX_PUSH_FAILURES, MAX_PUSH_PAUSE_MS, PUSH_PAGE } from "./limits.ts";

/** The part of a log that is followed. */
type FollowedLog = Pick<Log, "epoch" | "head" | "tail" | "readAfter" | "settings">;

interface FollowersOptions {
  readonly log: FollowedLog;
  readonly clock: Clock;
  readonly random: Random;
  /** Hands a replica what it lacks; rejects when it cannot be reached. */
  readonly push: (replica: string, push: Push) => Promise<PushAnswer>;
  /** Told that there is another time to look again: {@link Followers.nextTryAt}. */
  readonly onPause: () => void;
  /** Takes an unexpected error of what nobody waits for. */
  readonly report: (error: SluiceError) => void;
}

/** What a follower waits for. */
type State =
  /** For something new. */
  | { readonly kind: "resting" }
  /** For its answer. */
  | { readonly kind: "pushing" }
  /** For another try, in milliseconds since 1970. */
  | { readonly kind: "pausing"; readonly until: number }
  /** For it to ask again: it could not be reached for long, and may still be read. */
  | { readonly kind: "lost" };

interface Follower {
  /** What it has, and where its oldest entry is, as far as is known. */
  seq: number;
  head: number;
  state: State;
  /** In a row. */
  failures: number;
  /** How often it has asked to follow: an older wish to be left alone does not count. */
  asked: number;
}

const NAME = "followers";

export class Followers {
  readonly #options: FollowersOptions;
  readonly #followers = new Map<string, Follower>();

  constructor(options: FollowersOptions) {
    this.#options = options;
    const stored = options.log.settings.get(NAME);
    const names = stored === undefined ? [] : (JSON.parse(stored) as readonly string[]);
    // Whether they have heard of what was done before the sleep, or the end, nobody knows: they are asked.
    for (const name of names) this.#followers.set(name, { ...this.#begin(), head: 0 });
  }

  /** Who follows, and may be read. */
  get names(): readonly string[] {
    return [...this.#followers.keys()];
  }

  /** When to call {@link tell} although nothing is new, in milliseconds since 1970. */
  get nextTryAt(): number | undefined {
    const times = [...this.#followers.values()].flatMap(({ state }) =>
      state.kind === "pausing" ? [state.until] : [],
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** From now on this one is handed what is new; what is there already it reads itself. */
  add(name: string): void {
    const known = this.#followers.get(name);
    if (known === undefined) {
      this.#followers.set(name, this.#begin());
      this.#save();
      return;
    }
    known.asked += 1;
    // It can be reached again.
    if (known.state.kind !== "pushing") known.state = { kind: "resting" };
    known.failures = 0;
    this.tell();
  }

  /** The log has changed, or time has passed. */
  tell(): void {
    for (const [name, follower] of this.#followers) {
      const { state } = follower;
      if (state.kind === "pushing" || state.kind === "lost" || this.#hasAll(follower)) continue;
      if (state.kind === "pausing" && state.until > this.#options.clock.now()) continue;
      void this.#bring(name, follower);
    }
  }

  async #bring(name: string, follower: Follower): Promise<void> {
    const { log, push } = this.#options;
    follower.state = { kind: "pushing" };
    try {
      while (!this.#hasAll(follower)) {
        const { asked, seq } = follower;
        const { epoch, head } = log;
        const answer = await push(name, { epoch, head, page: log.readAfter(seq, PUSH_PAGE) });
        follower.failures = 0;
        if (answer.kind === "following") {
          follower.seq = answer.seq;
          follower.head = head;
        } else if (follower.asked === asked) {
          this.#remove(name);
          return;
        }
      }
      follower.state = { kind: "resting" };
    } catch (thrown) {
      this.#pause(follower, thrown);
    }
  }

  #pause(follower: Follower, cause: unknown): void {
    const { clock, random, onPause, report } = this.#options;
    follower.failures += 1;
    if (follower.failures >= MAX_PUSH_FAILURES) {
      follower.state = { kind: "lost" };
      report(new SluiceError("internal", { cause }));
      return;
    }
    const ceiling = Math.min(MAX_PUSH_PAUSE_MS, FIRST_PUSH_PAUSE_MS * 2 ** follower.failures);
    follower.state = { kind: "pausing", until: clock.now() + ceiling * (1 + random()) * 0.5 };
    onPause();
  }

  #hasAll({ seq, head }: Follower): boolean {
    const { log } = this.#options;
    return seq === log.tail && head === log.head;
  }

  /** What was there before it began, it has, or says that it has not. */
  #begin(): Follower {
    const { tail: seq, head } = this.#options.log;
    return { seq, head, state: { kind: "resting" }, failures: 0, asked: 0 };
  }

  #remove(name: string): void {
    this.#followers.delete(name);
    this.#save();
  }

  #save(): void {
    this.#options.log.settings.set(NAME, JSON.stringify(this.names));
  }
}
