/**
 * Owns a WebSocket below every library: it sends whatever bytes a test wants, reads only when it is
 * told to, and sees the HTTP answer that let it in or not. Refuses to understand messages.
 */
import { once } from "node:events";
import { type Socket, connect } from "node:net";

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;

/** A message that the server sent. */
interface RawMessage {
  readonly text: boolean;
  readonly data: Uint8Array;
}

/** The HTTP answer to the handshake. */
interface Handshake {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

export class RawSocket implements Disposable {
  readonly messages: RawMessage[] = [];
  /** The code of the server's close frame; 1005 for one without, 1006 when the connection just ended. */
  closeCode: number | undefined;
  readonly tcp: Socket;
  #handshake: Handshake | undefined;
  #rest: Uint8Array = new Uint8Array();

  private constructor(tcp: Socket) {
    this.tcp = tcp;
    tcp.on("error", () => {});
    tcp.on("data", (data: Uint8Array) => this.#take(data));
    tcp.once("close", () => (this.closeCode ??= 1006));
  }

  /** Connects, asks for the room, and comes back with the server's answer. */
  static async open(port: number, path: string): Promise<RawSocket> {
    const tcp = connect({ port, host: "127.0.0.1", noDelay: true });
    const socket = new RawSocket(tcp);
    tcp.write(
      `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
        "sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" +
        "sec-websocket-protocol: sluice.v1\r\n\r\n",
    );
    await socket.#until(() => socket.#handshake !== undefined);
    return socket;
  }

  /** Waits for the first message without polling: thousands may wait at once. */
  async heard(): Promise<void> {
    await this.#until(() => this.messages.length > 0);
  }

  get handshake(): Handshake {
    if (this.#handshake === undefined) throw new Error("The server has not answered yet.");
    return this.#handshake;
  }

  sendBinary(data: Uint8Array): void {
    this.tcp.write(frame(BINARY, data));
  }

  sendText(text: string): void {
    this.tcp.write(frame(TEXT, new TextEncoder().encode(text)));
  }

  /** Announces so many bytes and sends these. */
  sendPart(announced: number, data: Uint8Array): void {
    this.tcp.write(join(head(BINARY, announced), data));
  }

  /** Takes nothing from the network until `resume`. */
  stall(): void {
    this.tcp.pause();
  }

  resume(): void {
    this.tcp.resume();
  }

  [Symbol.dispose](): void {
    this.tcp.destroy();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.closeCode !== undefined) throw new Error(`The server hung up: ${this.closeCode}.`);
      await Promise.race([once(this.tcp, "data"), once(this.tcp, "close")]);
    }
  }

  #take(data: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? data : join(this.#rest, data);
    if (this.#handshake === undefined && !this.#takeHandshake()) return;
    while (this.#takeFrame());
  }

  #takeHandshake(): boolean {
    const text = latin.decode(this.#rest);
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const [first = "", ...lines] = text.slice(0, end).split("\r\n");
    const headers = new Map(
      lines.map((line): [string, string] => {
        const [name = "", ...value] = line.split(":");
        return [name.toLowerCase(), value.join(":").trim()];
      }),
    );
    this.#handshake = { status: Number(first.split(" ")[1]), headers };
    this.#rest = this.#rest.subarray(end + 4);
    return true;
  }

  #takeFrame(): boolean {
    const bytes = this.#rest;
    if (this.#handshake?.status !== 101 || bytes.length < 2) return false;
    const view = viewOf(bytes);
    const short = view.getUint8(1) & 0x7f;
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < start) return false;
    const length = short === 126 ? view.getUint16(2) : short === 127 ? view.getUint32(6) : short;
    if (bytes.length < start + length) return false;
    const data = bytes.subarray(start, start + length);
    this.#rest = bytes.subarray(start + length);
    const kind = view.getUint8(0) & 0x0f;
    if (kind === CLOSE) this.closeCode ??= length < 2 ? 1005 : viewOf(data).getUint16(0);
    else if (kind === TEXT || kind === BINARY) this.messages.push({ text: kind === TEXT, data });
    return true;
  }
}

const latin = new TextDecoder("latin1");

/** A frame masked with zeros: the bytes on the wire are the bytes of the message. */
function frame(kind: number, data: Uint8Array): Uint8Array {
  return join(head(kind, data.length), data);
}

function head(kind: number, length: number): Uint8Array {
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = new Uint8Array(size + 4);
  const view = viewOf(bytes);
  view.setUint8(0, 0x80 | kind);
  view.setUint8(1, 0x80 | (size === 2 ? length : size === 4 ? 126 : 127));
  if (size === 4) view.setUint16(2, length);
  if (size === 10) view.setUint32(6, length);
  return bytes;
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
