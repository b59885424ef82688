/**
 * Owns the HTTP response that a load client reads as it comes: thousands of them in one process must
 * cost less than what they measure. So all share one read buffer, and the body is shown where it lies
 * in it. Refuses to know what it says.
 */
import { type Socket, connect } from "node:net";
import { now } from "./load-socket.ts";

const shared = Buffer.allocUnsafe(256 * 1024);
const END_OF_HEADERS = Buffer.from("\r\n\r\n");
const CHUNKED = /^transfer-encoding:\s*chunked/im;
const LINE_FEED = 0x0a;

interface LoadResponseOptions {
  readonly url: URL;
  /** The head has come and says 200. */
  readonly onOpen: () => void;
  /** A part of the body: bytes `start` to `end`, valid during the call only, and when they were read. */
  readonly onBody: (bytes: Buffer, start: number, end: number, at: number) => void;
  /** The response has ended although nobody asked for it. */
  readonly onLost: (why: string) => void;
}

/** Where in the response the next byte is. */
type Place =
  | { readonly kind: "head" }
  /** A body that is not cut into chunks. */
  | { readonly kind: "body" }
  /** Inside a chunk, of which so many bytes are to come. */
  | { readonly kind: "chunk"; readonly left: number }
  /** In the line that ends a chunk, or in the one that gives the size of the next. */
  | { readonly kind: "chunk-end" }
  | { readonly kind: "chunk-size" };

export class LoadResponse implements Disposable {
  readonly #options: LoadResponseOptions;
  readonly #socket: Socket;
  #place: Place = { kind: "head" };
  /** What has come of a line or a head that is not whole. */
  #rest = "";
  #isDone = false;

  constructor(options: LoadResponseOptions) {
    this.#options = options;
    const { url } = options;
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length) => {
          this.#take(shared.subarray(0, length), now());
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
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nAccept: text/event-stream\r\n\r\n`,
    );
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

  #take(bytes: Buffer, at: number): void {
    let start = 0;
    while (start < bytes.length && !this.#isDone) {
      switch (this.#place.kind) {
        case "head":
          start = this.#readHead(bytes);
          break;
        case "body":
          this.#options.onBody(bytes, start, bytes.length, at);
          start = bytes.length;
          break;
        case "chunk": {
          const { left } = this.#place;
          const end = Math.min(bytes.length, start + left);
          this.#options.onBody(bytes, start, end, at);
          const rest = left - (end - start);
          this.#place = rest === 0 ? { kind: "chunk-end" } : { kind: "chunk", left: rest };
          start = end;
          break;
        }
        case "chunk-end":
        case "chunk-size":
          start = this.#readLine(bytes, start);
      }
    }
  }

  /** Returns where the body begins. */
  #readHead(bytes: Buffer): number {
    const before = this.#rest.length;
    this.#rest += bytes.toString("latin1");
    const end = this.#rest.indexOf(END_OF_HEADERS.toString());
    if (end < 0) return bytes.length;
    if (this.#rest.slice(9, 12) !== "200") {
      this.#lose(this.#rest.slice(0, 400));
      return bytes.length;
    }
    this.#place = { kind: CHUNKED.test(this.#rest.slice(0, end)) ? "chunk-size" : "body" };
    this.#rest = "";
    this.#options.onOpen();
    return end + END_OF_HEADERS.length - before;
  }

  /** Returns where the next line, or the chunk, begins. */
  #readLine(bytes: Buffer, start: number): number {
    const end = bytes.indexOf(LINE_FEED, start);
    this.#rest += bytes.toString("latin1", start, end < 0 ? bytes.length : end);
    if (end < 0) return bytes.length;
    if (this.#place.kind === "chunk-end") this.#place = { kind: "chunk-size" };
    else {
      const left = Number.parseInt(this.#rest, 16);
      if (left > 0) this.#place = { kind: "chunk", left };
      else this.#lose("the response has ended");
    }
    this.#rest = "";
    return end + 1;
  }
}
