/** Owns a network that breaks when a test says so: a TCP proxy. Refuses to understand what passes. */
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";

/** A door to a port that can be slammed. */
export interface TcpProxy extends AsyncDisposable {
  readonly origin: string;
  /** Breaks every connection with a reset, on both sides. */
  cut(): void;
}

/** Opens a proxy before a port of this machine, which may change with whoever serves there. */
export async function openTcpProxy(port: number | (() => number)): Promise<TcpProxy> {
  const portNow = typeof port === "number" ? () => port : port;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.pipe(other);
  };
  const server = createServer({ noDelay: true }, (inner) => {
    const outer = connect({ port: portNow(), host: "127.0.0.1", noDelay: true });
    keep(inner, outer);
    keep(outer, inner);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    origin: `http://127.0.0.1:${address.port}`,
    cut,
    async [Symbol.asyncDispose]() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
