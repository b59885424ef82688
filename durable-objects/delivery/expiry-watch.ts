/**
 * Owns when the next connection's time is over, so that the object need not look before. Refuses to
 * know what then happens to it.
 */
import type { Connection } from "./connection.ts";

export class ExpiryWatch {
  #nextAt = Number.POSITIVE_INFINITY;

  /** When to look, in milliseconds since 1970; never too late, and too early when somebody has left. */
  get nextAt(): number {
    return this.#nextAt;
  }

  /** A connection has a time, unless it only reads: then the Worker, which holds the answer, ends it. */
  expect({ door, permit }: Connection): void {
    if (door !== "member" || permit.expiresAt === undefined) return;
    this.#nextAt = Math.min(this.#nextAt, permit.expiresAt * 1_000);
  }

  /** All connections are about to be named anew. */
  restart(): void {
    this.#nextAt = Number.POSITIVE_INFINITY;
  }
}
