/**
 * Owns what delivery needs of a socket, so that it runs without the platform, and that frames leave over
 * it in their order.
 */

/** A WebSocket as the runtime gives it, or a test's. */
export interface SocketLike {
  send(data: Uint8Array | string): void;
  close(code: number, reason: string): void;
  /** Keeps a small value with the socket while the object sleeps (16 KiB at most). */
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}

/** A socket, and the frame that goes over it before any other. */
export interface Outlet {
  readonly socket: SocketLike;
  /** Of a flush that is on its way to many; see `Spread`. */
  due: Uint8Array | undefined;
}

/**
 * Sends a frame, or loses it with a socket that has ended meanwhile: then an event that removes the
 * connection is on its way, and whoever else is served in the same turn must not suffer (W4).
 */
export function transmit(outlet: Outlet, frame: Uint8Array): void {
  release(outlet);
  send(outlet.socket, frame);
}

/** Sends the frame that is due, if one is. */
export function release(outlet: Outlet): void {
  const { socket, due } = outlet;
  if (due === undefined) return;
  outlet.due = undefined;
  send(socket, due);
}

function send(socket: SocketLike, frame: Uint8Array): void {
  try {
    socket.send(frame);
  } catch {
    // The runtime throws for a closed socket only.
  }
}
