/**
 * Owns the seam between what an application reads and what carries it. A transport opens one
 * connection at a time and tells what comes; whoever opens it decides when to try again. What crosses
 * it is plain data that survives structured cloning, so another tab can stand in for the network.
 */

/** Why there is no connection, and what to do about it. */
export interface Failure {
  /** A code of the server's table of errors, or of the client's own: see {@link ClientError}. */
  readonly code: string;
  /** For people. */
  readonly message: string;
  /** `no`: never again; `backoff`: later; `refresh`: with a new token. */
  readonly reconnect: "no" | "backoff" | "refresh";
  /** Milliseconds that the server wants to be left alone. */
  readonly retryAfterMs?: number | undefined;
  /** The status of the HTTP answer, where it was one. */
  readonly status?: number | undefined;
}

/** What one attempt is given. */
export interface Attempt<Resume> {
  /** Where to go on. */
  readonly resume: Resume;
  /** The token to use; asks the application for it if need be. Rejects when that fails. */
  readonly token: () => Promise<string | undefined>;
}

/** Hears of one connection. After `failed` nothing more is told. */
export interface LinkObserver<Event> {
  /**
   * The server has answered.
   *
   * @param isBehind whether what was missed comes first.
   * @param tab whose connection it is, where tabs share one.
   */
  opened(isBehind: boolean, tab?: "this" | "other"): void;
  /** All that was missed has come. */
  caughtUp(): void;
  event(event: Event): void;
  /** The server asks those whose connection breaks to stay away so long. */
  retry(ms: number): void;
  failed(failure: Failure): void;
}

/** One connection. */
export interface Link<Command> {
  /** Sends, if the connection stands; what is lost is the sender's to repeat. */
  send(command: Command): void;
  /** Finds out soon whether the connection still stands, and tells `failed` if not. */
  probe(): void;
  /** Gives up the connection. Nothing is told after it. */
  close(): void;
}

/** Opens connections. */
export interface Transport<Resume, Event, Command> {
  open(attempt: Attempt<Resume>, observer: LinkObserver<Event>): Link<Command>;
}
