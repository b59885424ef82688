/** Owns what delivery needs of a socket, so that it runs without the platform. */

/** A WebSocket as the runtime gives it, or a test's. */
export interface SocketLike {
  send(data: Uint8Array | string): void;
  close(code: number, reason: string): void;
  /** Keeps a small value with the socket while the object sleeps (16 KiB at most). */
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** Whoever is at the other end of a socket. */
export interface Receiver {
  readonly socket: SocketLike;
}

/**
 * Sends a frame, or loses it with a socket that has ended meanwhile: then an event that removes the
 * connection is on its way, and whoever else is served in the same turn must not suffer (W4).
 */
export function send(socket: SocketLike, frame: Uint8Array): void {
  try {
    socket.send(frame);
  } catch {
    // The runtime throws for a closed socket only.
  }
}
