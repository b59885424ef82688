/**
 * Owns the codes with which a socket closes and what a client does about each. Refuses to know who
 * closes it. Numbers from 4000 on are ours, the others RFC 6455's.
 */

/** `no`: stay away; `backoff`: come back later; `refresh`: come back with a new token. */
export type ReconnectPolicy = "no" | "backoff" | "refresh";

/** What a close code means. */
export interface CloseEntry {
  readonly code: number;
  readonly reconnect: ReconnectPolicy;
  /** One sentence for people. */
  readonly meaning: string;
}

const entry = (code: number, reconnect: ReconnectPolicy, meaning: string): CloseEntry => ({
  code,
  reconnect,
  meaning,
});

/** The table; all but `lost` (which only a client sees) are sent by servers. */
export const CLOSE = {
  left: entry(1000, "no", "The member left, or was asked to."),
  goingAway: entry(1001, "backoff", "The server is going away."),
  lost: entry(1006, "backoff", "The connection broke without a close."),
  tooLarge: entry(1009, "no", "A frame was larger than the server accepts."),
  serverError: entry(1011, "backoff", "Something went wrong on the server."),
  restart: entry(1012, "backoff", "The server restarts."),
  tryLater: entry(1013, "backoff", "The server cannot serve this now."),
  protocolError: entry(4400, "no", "A frame broke the protocol."),
  tokenInvalid: entry(4401, "refresh", "The token is not or no longer valid."),
  notAllowed: entry(4403, "no", "The token does not allow this."),
  roomGone: entry(4404, "no", "The room no longer exists."),
  helloTimeout: entry(4408, "backoff", "No hello, or no heartbeat, came in time."),
  slowConsumer: entry(
    4410,
    "backoff",
    "The client did not keep up; resume from the last position.",
  ),
  tooManyMessages: entry(4429, "backoff", "The client sent too much."),
  overloaded: entry(4503, "backoff", "The room is overloaded."),
} as const satisfies Record<string, CloseEntry>;

const BY_CODE = new Map<number, CloseEntry>(
  Object.values(CLOSE).map((row: CloseEntry) => [row.code, row]),
);

/** What to do about a code. Codes that are not in the table came from the network: come back. */
export function reconnectPolicy(code: number): ReconnectPolicy {
  return BY_CODE.get(code)?.reconnect ?? "backoff";
}
