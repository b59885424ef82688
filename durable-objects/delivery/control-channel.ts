/**
 * Owns the frames that belong to no log: welcome, receipts, errors, presence, direct messages. They
 * cannot be read again from anywhere, so what a connection takes of them is counted until it
 * acknowledges (I5). Refuses to know what they say.
 */
import { CONTROL_LIMIT_BYTES, CONTROL_WINDOW_BYTES } from "../../src/protocol/limits.ts";
import { type Connection, saveConnection } from "./connection.ts";
import { send } from "./socket.ts";

/** Bytes outside the log that a sleep may forget of a connection. */
const SAVE_EVERY_BYTES = 32 * 1024;

interface ControlChannelOptions {
  /** Ends a connection that does not take what it asked for. */
  readonly drop: (connection: Connection) => void;
  /** Lets a connection have first what is on its way to it. */
  readonly catchUp: (connection: Connection) => void;
}

export class ControlChannel {
  readonly #options: ControlChannelOptions;

  constructor(options: ControlChannelOptions) {
    this.#options = options;
  }

  /** Sends a frame that the connection has to get; who takes none of them is dropped. */
  send(connection: Connection, frame: Uint8Array): void {
    // A receipt may come due after its connection has gone; sending to a closed socket throws.
    if (!this.#isReady(connection)) return;
    this.#transmit(connection, frame);
    if (connection.controlBytes > CONTROL_LIMIT_BYTES) this.#options.drop(connection);
  }

  /** Sends a frame that may be left out; false when it was, because too much is unacknowledged. */
  offer(connection: Connection, frame: Uint8Array): boolean {
    if (!this.#isReady(connection)) return false;
    if (connection.controlBytes + frame.byteLength > CONTROL_WINDOW_BYTES) return false;
    this.#transmit(connection, frame);
    return true;
  }

  /** Whether a connection is there; what was on its way has left, and what followed from that may have ended it. */
  #isReady(connection: Connection): boolean {
    if (connection.phase.kind !== "ended") this.#options.catchUp(connection);
    return connection.phase.kind !== "ended";
  }

  #transmit(connection: Connection, frame: Uint8Array): void {
    this.#count(connection, frame.byteLength);
    send(connection.socket, frame);
  }

  /** Kept with the socket now and then, so that a sleep does not forget it: each save costs a little. */
  #count(connection: Connection, bytes: number): void {
    const before = connection.controlBytes;
    connection.controlBytes += bytes;
    const step = (total: number): number => Math.floor(total / SAVE_EVERY_BYTES);
    if (step(connection.controlBytes) !== step(before)) saveConnection(connection);
  }
}
