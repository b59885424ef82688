/**
 * Owns the WebSocket of a load client: thousands of them in one process must cost less than what they
 * measure. So all share one read buffer, and messages are shown where they lie in it. Refuses to
 * know what they say, and servers that fragment messages.
 */
import { randomBytes } from "node:crypto";
import { type Socket, connect } from "node:net";

const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const FINAL = 0x80;

const shared = Buffer.allocUnsafe(256 * 1024);
const END_OF_HEADERS = Buffer.from("\r\n\r\n");

export interface LoadSocketOptions {
  readonly url: URL;
  readonly subprotocol: string | undefined;
  /** The server has switched protocols. */
  readonly onOpen: () => void;
  /** A message: bytes `start` to `end`, valid during the call only, and when they were read. */
  readonly onMessage: (bytes: Buffer, start: number, end: number, at: number) => void;
  /** The connection has ended although nobody asked for it. */
  readonly onLost: (why: string) => void;
}

/** Milliseconds of the machine's monotonic clock: the same in every process. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A client's frame, masked with zeros: servers unmask it all the same. */
export function clientFrame(payload: string | Uint8Array): Buffer {
  const [opcode, body] =
    typeof payload === "string" ? [TEXT, Buffer.from(payload)] : [BINARY, payload];
  return maskedFrame(opcode, body);
}

export class LoadSocket implements Disposable {
  readonly #options: LoadSocketOptions;
  readonly #socket: Socket;
  #rest: Buffer | undefined;
  #isOpen = false;
  #isDone = false;

  constructor(options: LoadSocketOptions) {
    this.#options = options;
    const { url, subprotocol } = options;
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length) => {
          this.#take(shared.subarray(0, length));
          return true;
        },
      },
    });
    this.#socket.on("error", (error) => {
      this.#lose(error.message);
    });
    this.#socket.on("close", () => {
      this.#lose("closed");
    });
    this.#socket.write(
      [
        `GET ${url.pathname}${url.search} HTTP/1.1`,
        `Host: ${url.host}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
        ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
        "\r\n",
      ].join("\r\n"),
    );
  }

  /** Sends frames made by {@link clientFrame}, one or several of them. */
  send(frames: Buffer): void {
    this.#socket.write(frames);
  }

  [Symbol.dispose](): void {
    this.#isDone = true;
    this.#socket.destroy();
  }

  #lose(why: string): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#socket.destroy();
    this.#options.onLost(why);
  }

  #take(chunk: Buffer): void {
    const at = now();
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    const start = this.#isOpen ? 0 : this.#readHead(bytes);
    const end = start === undefined ? 0 : this.#readFrames(bytes, start, at);
    // What is left must be copied: the buffer belongs to the next socket's bytes.
    this.#rest = end === bytes.length ? undefined : Buffer.from(bytes.subarray(end));
  }

  #readHead(bytes: Buffer): number | undefined {
    const end = bytes.indexOf(END_OF_HEADERS);
    if (end < 0) return undefined;
    if (bytes.toString("latin1", 9, 12) !== "101") {
      this.#lose(bytes.toString("latin1", 0, 400));
      return bytes.length;
    }
    this.#isOpen = true;
    this.#options.onOpen();
    return end + END_OF_HEADERS.length;
  }

  /** Shows every whole message; returns where the first that is not whole begins. */
  #readFrames(bytes: Buffer, from: number, at: number): number {
    let start = from;
    while (start + 2 <= bytes.length) {
      const head = bytes[start] ?? 0;
      let length = bytes[start + 1] ?? 0;
      let body = start + 2;
      if (length === 126) {
        if (body + 2 > bytes.length) break;
        length = bytes.readUInt16BE(body);
        body += 2;
      } else if (length === 127) {
        if (body + 8 > bytes.length) break;
        length = Number(bytes.readBigUInt64BE(body));
        body += 8;
      }
      const end = body + length;
      if (end > bytes.length) break;
      this.#frame(head, bytes, body, end, at);
      start = end;
    }
    return start;
  }

  #frame(head: number, bytes: Buffer, start: number, end: number, at: number): void {
    const opcode = head & 0x0f;
    if (opcode === PING) this.send(maskedFrame(PONG, bytes.subarray(start, end)));
    else if (opcode === CLOSE)
      this.#lose(`closed with ${bytes.subarray(start, end).toString("hex")}`);
    else if (head === (FINAL | TEXT) || head === (FINAL | BINARY)) {
      this.#options.onMessage(bytes, start, end, at);
    } else if (opcode !== PONG) this.#lose(`sent a frame that begins with ${head}`);
  }
}

function maskedFrame(opcode: number, body: Uint8Array): Buffer {
  const { length } = body;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = Buffer.alloc(6 + extended + length);
  frame[0] = FINAL | opcode;
  frame[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) frame.writeUInt16BE(length, 2);
  if (extended === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(body, 6 + extended);
  return frame;
}
