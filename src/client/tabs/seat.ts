/**
 * Owns what the leader's connections have in common: somebody sits at one and is told its events.
 * Refuses to know whether they sit in this tab.
 */
import type { Failure, Link, LinkObserver } from "../transport.ts";

/** A connection that several share. */
export interface Line<Resume, Event, Command> {
  /** Whether nobody sits at it. */
  readonly isEmpty: boolean;
  /** Sits down. The observer is told nothing before this returns. */
  open(resume: Resume, observer: LinkObserver<Event>): Link<Command>;
  /** Gives up the connection; nobody is told. */
  close(): void;
}

/** Opens a connection of the leader's own. */
export type OpenUpstream<Resume, Event, Command> = (
  resume: Resume,
  observer: LinkObserver<Event>,
) => Link<Command>;

/**
 * Adds what the server asked of those who lose their connection: it would otherwise be heeded also where
 * only a tab was closed.
 */
export function withRetry(failure: Failure, retryMs: number): Failure {
  if (failure.reconnect !== "backoff" || retryMs === 0) return failure;
  return { ...failure, retryAfterMs: Math.max(failure.retryAfterMs ?? 0, retryMs) };
}

/** The same observer, but for what it does about a failure. */
export function withFailed<Event>(
  observer: LinkObserver<Event>,
  failed: (failure: Failure) => void,
): LinkObserver<Event> {
  // Observers may be of classes: their methods cannot be copied.
  return {
    opened: (isBehind) => {
      observer.opened(isBehind);
    },
    caughtUp: () => {
      observer.caughtUp();
    },
    event: (event) => {
      observer.event(event);
    },
    retry: (ms) => {
      observer.retry(ms);
    },
    failed,
  };
}
