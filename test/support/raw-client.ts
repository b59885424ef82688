/**
 * Owns a client below HTTP libraries: it sends the bytes a test wants, reads as slowly as a test
 * wants and leaves as rudely as a test wants. Refuses to understand the response.
 */
import { once } from "node:events";
import { type Socket, connect } from "node:net";

/** A connection to the Worker. It reads nothing until it is asked to. */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** Everything received so far, head included, chunked framing included. */
  readonly received: () => string;
  /** Bytes received so far. */
  readonly receivedBytes: () => number;
  /** Reads whatever comes from now on. */
  flow(): void;
  /** Whether it does so. */
  readonly isFlowing: () => boolean;
  /** Takes up to so many bytes that have already arrived. */
  take(bytes: number): void;
  /** Whether the server has ended or broken the connection. */
  readonly isOver: () => boolean;
}

/** Connects and sends these bytes. */
export async function openRawClient(port: number, bytes: string): Promise<RawClient> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  let text = "";
  let size = 0;
  let over = false;
  const keep = (data: Buffer | null): void => {
    if (data === null) return;
    size += data.length;
    if (text.length < 1_000_000) text += data.toString("latin1");
  };
  socket.once("end", () => (over = true));
  socket.once("close", () => (over = true));
  socket.write(bytes);
  return {
    socket,
    received: () => text,
    receivedBytes: () => size,
    flow() {
      socket.on("data", keep);
    },
    isFlowing: () => socket.readableFlowing === true,
    take(bytes) {
      keep((socket.read(Math.min(bytes, socket.readableLength)) ?? null) as Buffer | null);
    },
    isOver: () => over,
    [Symbol.dispose]() {
      socket.destroy();
    },
  };
}

/** The bytes of a POST with a JSON body. */
export function postRequest(
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): string {
  const text = JSON.stringify(body);
  const lines = Object.entries({
    host: "localhost",
    "content-type": "application/json",
    "content-length": String(new TextEncoder().encode(text).length),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${text}`;
}
