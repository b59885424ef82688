/** Owns a server of pages that is not the Worker, as an application has one. Refuses to know the pages. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A running server; it stops with its scope. */
export interface Pages extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
}

/** Serves what `read` gives for a path, which is a script if its name says so and a page otherwise. */
export async function servePages(read: (path: string) => Promise<string> | string): Promise<Pages> {
  const answer = async (path: string): Promise<readonly [number, string]> => {
    try {
      return [200, await read(path)];
    } catch {
      return [404, ""];
    }
  };
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    void answer(path).then(([status, body]) => {
      const type = path.endsWith(".js") ? "text/javascript" : "text/html";
      response.writeHead(status, { "content-type": `${type}; charset=utf-8` }).end(body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
