/**
 * Owns which connections are given up: those whose token has expired, those that never said hello, those that are silent although
 * their client should beat, and those that take nothing. Refuses to know how they are ended.
 */
import { CLOSE, type CloseEntry } from "../../src/protocol/close-codes.ts";
import { DEAD_AFTER_MS, HELLO_TIMEOUT_MS } from "../../src/protocol/limits.ts";
import type { Connection } from "./connection.ts";

interface SweepContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** When the runtime last answered a heartbeat on the connection, if ever. */
  readonly lastBeat: (connection: Connection) => number | undefined;
  /** Whether it has said nothing yet: nobody may be there. */
  readonly isAwaited: (connection: Connection) => boolean;
  readonly patienceMs: number;
}

/** What to end a connection with; undefined when it is well. */
export function judge(
  connection: Connection,
  { now, lastBeat, isAwaited, patienceMs }: SweepContext,
): CloseEntry | undefined {
  const { phase, joinedAt, permit } = connection;
  if (permit.expiresAt !== undefined && permit.expiresAt * 1_000 <= now) return CLOSE.tokenInvalid;
  if (phase.kind === "greeting" || isAwaited(connection)) {
    return now - joinedAt >= HELLO_TIMEOUT_MS ? CLOSE.helloTimeout : undefined;
  }
  const heard = Math.max(joinedAt, lastBeat(connection) ?? 0);
  if (now - heard >= DEAD_AFTER_MS) return CLOSE.helloTimeout;
  if (phase.kind === "lagging" && now - phase.since >= patienceMs) return CLOSE.slowConsumer;
  return undefined;
}
