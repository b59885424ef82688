/** Owns what delivery needs of a socket, so that it runs without the platform. */

/** A WebSocket as the runtime gives it, or a test's. */
export interface SocketLike {
  send(data: Uint8Array | string): void;
  close(code: number, reason: string): void;
  /** Keeps a small value with the socket while the object sleeps (16 KiB at most). */
  serializeAttachment(value: unknown): void;
  deserializeAttachment(): unknown;
}
