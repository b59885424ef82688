/** Owns a member of a room that comes with a token, over a real socket. Refuses to judge what it is told. */
import { encodeClientFrame } from "../../src/protocol/encode-client-frame.ts";
import type { ClientFrame, HelloFrame, ServerFrame } from "../../src/protocol/frames.ts";
import { parseServerFrame } from "../../src/protocol/parse-server-frame.ts";
import { encodeValue } from "../../src/protocol/value.ts";
import { until } from "./until.ts";

type FrameOf<K extends ServerFrame["kind"]> = Extract<ServerFrame, { kind: K }>;

export class TokenSocket implements Disposable {
  readonly frames: ServerFrame[] = [];
  /** The code with which the socket was closed; 1006 when it was never let in. */
  closed: number | undefined;
  closedAt = 0;
  readonly #socket: WebSocket;

  constructor(url: string, token?: string) {
    const protocols = token === undefined ? [] : [`sluice.bearer.${token}`];
    this.#socket = new WebSocket(url.replace(/^http/, "ws"), ["sluice.v1", ...protocols]);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("message", ({ data }) => {
      const frame = data instanceof ArrayBuffer ? parseServerFrame(data) : undefined;
      if (frame !== undefined) this.frames.push(frame);
    });
    this.#socket.addEventListener("close", ({ code }) => {
      this.closed = code;
      this.closedAt = Date.now();
    });
    this.#socket.addEventListener("error", () => {});
  }

  /** Connects and waits until it is welcome or sent away. */
  static async join(
    url: string,
    token?: string,
    hello: Partial<HelloFrame> = {},
  ): Promise<TokenSocket> {
    const member = new TokenSocket(url, token);
    const isOpen = () => member.#socket.readyState === WebSocket.OPEN;
    await until("an answer to the handshake", () => isOpen() || member.closed !== undefined);
    if (member.closed !== undefined) return member;
    member.send({
      kind: "hello",
      member: undefined,
      resume: undefined,
      mail: undefined,
      history: undefined,
      state: undefined,
      credit: undefined,
      ...hello,
    });
    await until(
      "an answer to hello",
      () => member.frames.length > 0 || member.closed !== undefined,
    );
    return member;
  }

  send(frame: ClientFrame): void {
    this.#socket.send(new Uint8Array(encodeClientFrame(frame)));
  }

  publish(id: string, payload: unknown = id): void {
    this.send({ kind: "publish", id, event: "chat", payload: encodeValue(payload) });
  }

  of<K extends ServerFrame["kind"]>(kind: K): readonly FrameOf<K>[] {
    return this.frames.filter((frame): frame is FrameOf<K> => frame.kind === kind);
  }

  /** Codes of all errors so far. */
  get errors(): readonly string[] {
    return this.of("error").map(({ code }) => code);
  }

  /** Payloads of all messages so far. */
  get payloads(): readonly unknown[] {
    return this.of("deliver").flatMap(({ entries }) => entries.map(({ payload }) => payload));
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
