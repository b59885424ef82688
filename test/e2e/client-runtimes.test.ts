/** The client's suite in Deno, Bun and workerd against the running Worker, through proxies that break. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, describe, expect, test } from "vitest";
import { cases } from "../client-suite/cases.ts";
import type { Addresses, CaseResult } from "../client-suite/report.ts";
import { startWorker } from "../support/start-worker.ts";
import { SUITE_RUNTIMES } from "../support/suite-runtimes.ts";
import { openTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

/** Milliseconds for all cases in all runtimes, side by side on a busy machine. */
const PATIENCE_MS = 300_000;

const results = new Map<string, readonly CaseResult[]>();

beforeAll(async () => {
  await using worker = await startWorker({});
  const { origin: url, port } = worker;
  await Promise.all(
    SUITE_RUNTIMES.map(async ([name, run]) => {
      await using proxy = await openTcpProxy(port);
      await using control = await openControl(proxy);
      const addresses: Addresses = { url, brokenUrl: proxy.origin, cutUrl: control.url };
      results.set(name, await run(addresses));
    }),
  );
}, PATIENCE_MS);

describe.each(SUITE_RUNTIMES.map(([name]) => name))("%s", (runtime) => {
  test.each(cases.map(({ title }) => title))("%s", (title) => {
    const result = results.get(runtime)?.find((one) => one.title === title);
    expect(result).toEqual({ title });
  });
});

/** A door through which another program breaks a proxy's connections. */
async function openControl(proxy: TcpProxy): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((_request, response) => {
    proxy.cut();
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
