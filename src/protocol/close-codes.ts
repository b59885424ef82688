/**
 * Owns the codes with which a server closes a socket. Refuses to know who closes it, and what a client does
 * then. Numbers from 4000 on are ours, the others RFC 6455's.
 */

/** What a close code means. */
export interface CloseEntry {
  readonly code: number;
  /** One sentence for people. */
  readonly meaning: string;
}

const entry = (code: number, meaning: string): CloseEntry => ({ code, meaning });

/** The table. */
export const CLOSE = {
  left: entry(1000, "The member left, or was asked to."),
  goingAway: entry(1001, "The server is going away."),
  tooLarge: entry(1009, "A frame was larger than the server accepts."),
  serverError: entry(1011, "Something went wrong on the server."),
  restart: entry(1012, "The server restarts."),
  tryLater: entry(1013, "The server cannot serve this now."),
  protocolError: entry(4400, "A frame broke the protocol."),
  tokenInvalid: entry(4401, "The token is not or no longer valid."),
  notAllowed: entry(4403, "The token does not allow this."),
  roomGone: entry(4404, "The room no longer exists."),
  helloTimeout: entry(4408, "No hello, or no heartbeat, came in time."),
  slowConsumer: entry(4410, "The client did not keep up; resume from the last position."),
  tooManyMessages: entry(4429, "The client sent too much."),
  overloaded: entry(4503, "The room is overloaded."),
} as const satisfies Record<string, CloseEntry>;
