/**
 * Owns a provider on a real socket that behaves as badly as a test wants, and remembers what was
 * asked of it and how each connection ended. Refuses to know what an answer means.
 */
import { once } from "node:events";
import { type IncomingHttpHeaders, type ServerResponse, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";

/** One request as it arrived, and what became of it. */
export interface Exchange {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
  /** Bytes that the operating system has taken for this connection. */
  readonly sentBytes: () => number;
  /** Whether our answer is over: sent to its end, or cut off with its connection. */
  readonly isOver: () => boolean;
}

/** What a script can do to its caller. Everything after the connection's end does nothing. */
export interface Wire {
  /** Sends status and headers now. */
  head(status: number, headers?: Readonly<Record<string, string>>): void;
  /** One write; waits while the caller does not read. Resolves with false once the connection is closed. */
  write(bytes: string | Uint8Array): Promise<boolean>;
  /** Ends the response properly. */
  end(text?: string): void;
  /** Closes the connection in the middle of the response. */
  cut(): void;
  /** Resets the connection. */
  reset(): void;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<unknown>;
}

/** How one request is answered. */
export type Script = (wire: Wire, request: Exchange) => Promise<void> | void;

export interface ScriptedUpstream extends AsyncDisposable {
  /** What `OPENAI_BASE_URL` is to be. */
  readonly baseURL: string;
  readonly exchanges: readonly Exchange[];
  /** Connections that are open now, idle ones included. */
  readonly openSockets: () => number;
  /** Answers that are under way now. */
  readonly openAnswers: () => number;
  /** Forgets the past; from now on request n is answered by script n, and the last one answers all others. */
  reply(...scripts: readonly [Script, ...Script[]]): void;
}

/** Starts a provider on a free port. */
export async function startUpstream(...scripts: readonly Script[]): Promise<ScriptedUpstream> {
  const sockets = new Map<Socket, Promise<void>>();
  let exchanges: Exchange[] = [];
  let answering = 0;
  let queue: readonly Script[] = scripts;
  let taken = 0;
  const server = createServer({ keepAliveTimeout: 0, noDelay: true }, (request, response) => {
    const script = queue[Math.min(taken, queue.length - 1)];
    taken += 1;
    answering += 1;
    response.once("close", () => {
      answering -= 1;
    });
    const answer = async (): Promise<void> => {
      const text = String(await buffer(request));
      const { socket } = request;
      const already = socket.bytesWritten;
      const exchange: Exchange = {
        path: request.url ?? "",
        headers: request.headers,
        body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
        sentBytes: () => socket.bytesWritten - socket.writableLength - already,
        isOver: () => response.closed,
      };
      exchanges.push(exchange);
      await script?.(
        openWire(response, socket, sockets.get(socket) ?? Promise.resolve()),
        exchange,
      );
    };
    // A caller that leaves while it still sends is a legitimate end, too.
    answer().catch(() => {
      request.socket.destroy();
    });
  });
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    const closed = new Promise<void>((resolve) => {
      socket.once("close", () => {
        sockets.delete(socket);
        resolve();
      });
    });
    sockets.set(socket, closed);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    get exchanges() {
      return exchanges;
    },
    openSockets: () => sockets.size,
    openAnswers: () => answering,
    reply(...next) {
      exchanges = [];
      queue = next;
      taken = 0;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets.keys()) socket.destroy();
      await once(server, "close");
    },
  };
}

function openWire(response: ServerResponse, socket: Socket, closed: Promise<void>): Wire {
  response.on("error", () => {});
  return {
    closed,
    head(status, headers = {}) {
      response.writeHead(status, headers);
      response.flushHeaders();
    },
    async write(bytes) {
      if (!socket.destroyed && !response.write(bytes)) await drained(response);
      return !socket.destroyed;
    },
    end(text) {
      response.end(text);
    },
    cut() {
      // The bytes already written still leave: the end must be the only surprise.
      socket.end(() => socket.destroy());
    },
    reset() {
      socket.resetAndDestroy();
    },
  };
}

/** Resolves when more may be written, or when that will never be. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off("drain", go).off("close", go);
      resolve();
    };
    response.on("drain", go).on("close", go);
  });
}
