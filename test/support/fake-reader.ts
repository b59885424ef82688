/** A reader's socket to a topic in unit tests: what it was sent, decoded. */
import type { SocketLike } from "../../durable-objects/delivery/socket.ts";
import { encodeClientFrame } from "../../src/protocol/encode-client-frame.ts";
import type { HelloFrame, ServerFrame } from "../../src/protocol/frames.ts";
import { parseServerFrame } from "../../src/protocol/parse-server-frame.ts";

type Kind = ServerFrame["kind"];

export class FakeReader implements SocketLike {
  readonly frames: ServerFrame[] = [];
  closed: number | undefined;
  #attachment: unknown;

  send(data: Uint8Array | string): void {
    if (this.closed !== undefined) throw new Error("the socket is closed");
    if (typeof data === "string") throw new Error("readers get frames only");
    const frame = parseServerFrame(data);
    if (frame !== undefined) this.frames.push(frame);
  }

  close(code: number): void {
    this.closed ??= code;
  }

  serializeAttachment(value: unknown): void {
    this.#attachment = structuredClone(value);
  }

  deserializeAttachment(): unknown {
    return this.#attachment;
  }

  /** The message that greets a topic. */
  static hello(hello: Partial<HelloFrame> = {}): ArrayBuffer {
    return toBuffer(
      encodeClientFrame({
        kind: "hello",
        member: undefined,
        resume: undefined,
        mail: undefined,
        history: undefined,
        state: undefined,
        credit: undefined,
        ...hello,
      }),
    );
  }

  /** The message that acknowledges everything up to `seq`. */
  static ack(seq: number): ArrayBuffer {
    return toBuffer(encodeClientFrame({ kind: "ack", seq, mail: 0 }));
  }

  of<K extends Kind>(kind: K): readonly Extract<ServerFrame, { kind: K }>[] {
    return this.frames.filter(
      (frame): frame is Extract<ServerFrame, { kind: K }> => frame.kind === kind,
    );
  }

  /** Positions and data of all events, in the order in which they came. */
  get events(): readonly (readonly [seq: number, data: unknown])[] {
    return this.frames.flatMap((frame) => {
      if (frame.kind === "deliver") {
        return frame.entries.map(({ payload }, index) => [frame.first + index, payload] as const);
      }
      if (frame.kind !== "latest") return [];
      return frame.entries.map(({ payload }, index) => [frame.seqs[index] ?? 0, payload] as const);
    });
  }
}

function toBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}
