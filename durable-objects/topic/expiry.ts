/**
 * Owns when a topic is deleted because nobody wants it any more. Refuses to delete it.
 *
 * A read puts the end off, but does not write a row each time: what is stored may lag behind by a
 * fraction of the time to live, and after a sleep the topic is given that fraction more.
 */
import type { Clock } from "../../src/stream/clock.ts";
import type { Log } from "../log/log.ts";
import type { TopicSettings } from "./settings.ts";

/** Part of the time to live by which the stored time of the last read may lag. */
const SLACK = 1 / 8;

const TOUCHED = "touched";

export class Expiry {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #settings: TopicSettings;
  #storedAt = 0;
  #touchedAt = 0;

  constructor(log: Log, settings: TopicSettings, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#settings = settings;
    if (settings.ttlMs === undefined) return;
    const stored = log.settings.get(TOUCHED);
    if (stored === undefined) {
      this.touch();
      return;
    }
    this.#storedAt = Number(stored);
    this.#touchedAt = this.#storedAt + settings.ttlMs * SLACK;
  }

  /** Somebody reads. Writes count by themselves. */
  touch(): void {
    const { ttlMs } = this.#settings;
    if (ttlMs === undefined) return;
    const now = this.#clock.now();
    this.#touchedAt = now;
    if (this.#storedAt !== 0 && now - this.#storedAt < ttlMs * SLACK) return;
    this.#storedAt = now;
    this.#log.settings.set(TOUCHED, String(now));
  }

  /** When the topic is to be deleted, in milliseconds since 1970; undefined for never. */
  get dueAt(): number | undefined {
    const { ttlMs, expiresAt } = this.#settings;
    if (ttlMs === undefined) return expiresAt;
    return Math.max(this.#touchedAt, this.#log.newestAt) + ttlMs;
  }

  /** Whether readers put the end off by being there. */
  get isSliding(): boolean {
    return this.#settings.ttlMs !== undefined;
  }
}
