/**
 * Owns what a client is made with. Refuses to use any of it.
 */
import type { RoomTransport } from "./room/transport.ts";
import type { SharedSurface } from "./share.ts";
import type { TopicTransport } from "./topic/transport.ts";

/** Gives a token. Called when there is none yet, when it has expired and when the server refuses it. */
export type TokenFunction = () => string | undefined | Promise<string | undefined>;

/** Time, as the client needs it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `task` once after `ms` milliseconds; the returned function calls it off. */
  after(ms: number, task: () => void): () => void;
}

/** What a client is made with. */
export interface ClientOptions {
  /** Where the server is: everything up to `/v1`. */
  readonly url: string | URL;
  /** The token, or a function that gets one; it is called again when the token has expired. */
  readonly token?: string | TokenFunction;
  /**
   * Milliseconds of silence after which an event stream counts as lost: three times the server's
   * `KEEPALIVE_MS`. Default 45,000.
   */
  readonly silenceMs?: number;
  /** Instead of the runtime's own. */
  readonly fetch?: typeof globalThis.fetch;
  /** Instead of the runtime's own. */
  readonly WebSocket?: new (url: string, protocols: string[]) => WebSocket;
  /** Instead of the runtime's own, for tests. */
  readonly clock?: Clock;
  /** Numbers in [0, 1) instead of the runtime's own, for tests. */
  readonly random?: () => number;
  /**
   * Whether pages share one connection with all tabs of this browser whose tokens say the same: everything
   * (the default), nothing, or what is said of a topic (by its first name), a room or an answer.
   */
  readonly share?: boolean | ((surface: SharedSurface, name: string) => boolean);
  /** Divides further who shares: only tabs with the same scope do. */
  readonly shareScope?: string;
  /** What carries topics and rooms instead of connections of this client's own. */
  readonly transports?: {
    readonly topic?: (topics: readonly string[]) => TopicTransport;
    readonly room?: (room: string) => RoomTransport;
  };
}
