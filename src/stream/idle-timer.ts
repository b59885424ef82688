/**
 * Owns the question "how long has nothing happened?". Refuses to know what happens or what follows.
 *
 * A stream asks it thousands of times a second, so touching it only notes the time: one timer is
 * armed at any moment, and when it fires early it arms itself again for the rest.
 */
import type { Clock } from "./clock.ts";

export class IdleTimer implements Disposable {
  readonly #clock: Clock;
  readonly #onIdle: () => void;
  #limit: number;
  #since: number | undefined;
  #disarm: (() => void) | undefined;

  /**
   * @param limitMs milliseconds of idleness after which `onIdle` is called; again after each
   *   further `limitMs` of idleness.
   */
  constructor(clock: Clock, limitMs: number, onIdle: () => void) {
    this.#clock = clock;
    this.#limit = limitMs;
    this.#onIdle = onIdle;
  }

  /** Waiting begins now; `limitMs` replaces the limit from here on. */
  start(limitMs: number = this.#limit): void {
    this.#since = this.#clock.now();
    if (limitMs < this.#limit) this.#cancel();
    this.#limit = limitMs;
    this.#disarm ??= this.#clock.after(limitMs, this.#check);
  }

  /** Something happened, or nobody is waiting any more: idleness does not count until the next start. */
  pause(): void {
    this.#since = undefined;
  }

  [Symbol.dispose](): void {
    this.#since = undefined;
    this.#cancel();
  }

  readonly #check = (): void => {
    this.#disarm = undefined;
    // Paused: the next start arms a new timer.
    if (this.#since === undefined) return;
    const left = this.#since + this.#limit - this.#clock.now();
    if (left > 0) {
      this.#disarm = this.#clock.after(left, this.#check);
      return;
    }
    this.#since = this.#clock.now();
    this.#disarm = this.#clock.after(this.#limit, this.#check);
    this.#onIdle();
  };

  #cancel(): void {
    this.#disarm?.();
    this.#disarm = undefined;
  }
}
