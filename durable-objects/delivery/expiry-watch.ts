/**
 * Owns when the next connection's time is over, so that the object need not look before. Refuses to
 * know what then happens to it.
 */
import type { Connection } from "./connection.ts";

export class ExpiryWatch {
  readonly #now: () => number;
  #nextAt = Number.POSITIVE_INFINITY;

  /** @param now milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

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

  /** How long a member may stay, in milliseconds; undefined: as long as it likes. */
  leftFor({ door, permit }: Connection): number | undefined {
    if (door !== "member" || permit.expiresAt === undefined) return undefined;
    return Math.max(0, Math.ceil(permit.expiresAt * 1_000 - this.#now()));
  }
}
