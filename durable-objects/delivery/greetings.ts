/**
 * Owns the wait for the first word: connections that have said none, and the timer for them. A reader is
 * served before it speaks, and its Worker may be gone before it takes the socket, of which nobody is told.
 * Refuses to know how they end.
 */
import { HELLO_TIMEOUT_MS } from "../../src/protocol/limits.ts";
import type { Clock } from "../../src/stream/clock.ts";
import type { Connection } from "./connection.ts";

export class Greetings {
  readonly #clock: Clock;
  readonly #onLate: () => void;
  readonly #awaited = new Set<Connection>();
  #disarm: (() => void) | undefined;

  /** @param onLate called when somebody may have taken too long. */
  constructor(clock: Clock, onLate: () => void) {
    this.#clock = clock;
    this.#onLate = onLate;
  }

  /** A connection has been accepted. */
  expect(connection: Connection): void {
    this.#awaited.add(connection);
    // A timer and no alarm: the object is awake anyway, and an alarm costs a row.
    const left = connection.joinedAt + HELLO_TIMEOUT_MS - this.#clock.now();
    this.#disarm ??= this.#clock.after(Math.max(0, left), () => {
      this.#disarm = undefined;
      this.#onLate();
      const [late] = this.#awaited;
      if (late !== undefined) this.expect(late);
    });
  }

  /** Whether a connection has said nothing yet. */
  isAwaited(connection: Connection): boolean {
    return this.#awaited.has(connection);
  }

  /** A connection has said something, or is gone. With nobody to wait for, the timer would keep the object awake. */
  settle(connection: Connection): void {
    if (!this.#awaited.delete(connection) || this.#awaited.size > 0) return;
    this.#disarm?.();
    this.#disarm = undefined;
  }
}
