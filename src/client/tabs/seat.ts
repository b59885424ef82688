/**
 * Owns what the leader's connections have in common: somebody sits at one and is told its events.
 * Refuses to know whether they sit in this tab.
 */
import type { Context } from "../context.ts";
import type { Failure, Link, LinkObserver, Transport } from "../transport.ts";
import type { Target } from "./messages.ts";

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

/** Makes of a transport what opens connections of the leader's own, with its token. */
export type Upstream = <Resume, Event, Command>(
  transport: Transport<Resume, Event, Command>,
) => OpenUpstream<Resume, Event, Command>;

/** A connection, and whom it is for. What sits at it is of its surface: the tab's own code has made both. */
export interface ServingLine<Wanted> {
  readonly line: Line<never, never, never>;
  serves(target: Wanted): boolean;
}

/** A kind of connections that tabs share. */
export interface Surface {
  readonly name: Target["surface"];
  /** @param target of this surface. */
  make(context: Context, target: Target, upstream: Upstream): ServingLine<Target>;
}

type TargetOf<Name> = Extract<Target, { readonly surface: Name }>;

/** A surface by its name, for what makes its connections. */
export function surfaceOf<Name extends Target["surface"]>(
  name: Name,
  make: (
    context: Context,
    target: TargetOf<Name>,
    upstream: Upstream,
  ) => ServingLine<TargetOf<Name>>,
): Surface {
  // A leader takes no targets of another surface.
  return { name, make };
}

/**
 * Adds what the server asked of those who lose their connection: it would otherwise be heeded also where
 * only a tab was closed.
 */
export function withRetry(failure: Failure, retryMs: number): Failure {
  if (failure.reconnect !== "backoff" || retryMs === 0) return failure;
  return { ...failure, retryAfterMs: Math.max(failure.retryAfterMs ?? 0, retryMs) };
}

/** The same observer, but for some of what it does. */
export function withChanged<Event>(
  observer: LinkObserver<Event>,
  changed: Partial<LinkObserver<Event>>,
): LinkObserver<Event> {
  // Observers may be of classes: their methods cannot be copied.
  return {
    opened: (isBehind, tab) => {
      observer.opened(isBehind, tab);
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
    failed: (failure) => {
      observer.failed(failure);
    },
    ...changed,
  };
}
