/**
 * Owns a socket without a network. Like the platform's it throws when something is sent after its end,
 * and keeps what is attached to it as a copy of at most 16,384 bytes.
 */
import { deserialize, serialize } from "node:v8";
import type { SocketLike } from "../../durable-objects/delivery/socket.ts";
import type { ServerFrame } from "../../src/protocol/frames.ts";
import { parseServerFrame } from "../../src/protocol/parse-server-frame.ts";

/** Bytes that the platform keeps with a socket. */
export const MAX_ATTACHMENT_BYTES = 16_384;

type FrameOf<K extends ServerFrame["kind"]> = Extract<ServerFrame, { kind: K }>;

export class FakeSocket implements SocketLike {
  /** Everything that was sent, oldest first. */
  readonly sent: Uint8Array[] = [];
  /** How the object ended the connection. */
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** The other side is gone: nothing can be sent any more. */
  isLost = false;
  #attachment: Uint8Array | undefined;

  send(data: Uint8Array | string): void {
    if (this.closed !== undefined || this.isLost) {
      throw new TypeError("Can't call WebSocket send() after close().");
    }
    if (typeof data === "string") throw new TypeError("objects send no text");
    this.sent.push(data.slice());
  }

  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
  }

  serializeAttachment(value: unknown): void {
    const bytes = serialize(value);
    if (bytes.byteLength > MAX_ATTACHMENT_BYTES) {
      throw new RangeError(`an attachment of ${bytes.byteLength} bytes`);
    }
    this.#attachment = bytes;
  }

  deserializeAttachment(): unknown {
    return this.#attachment === undefined ? null : deserialize(this.#attachment);
  }

  /** Bytes of the attachment. */
  get attachmentBytes(): number {
    return this.#attachment?.byteLength ?? 0;
  }

  /** Everything that was sent, as a client reads it. */
  get frames(): readonly ServerFrame[] {
    return this.sent.flatMap((bytes) => parseServerFrame(bytes) ?? []);
  }

  of<K extends ServerFrame["kind"]>(kind: K): readonly FrameOf<K>[] {
    return this.frames.filter((frame): frame is FrameOf<K> => frame.kind === kind);
  }
}
