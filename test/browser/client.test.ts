/** The client in a real browser: its suite, an outbox that survives a reload, a network that goes and comes. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { createClient, OutboxStorage, Room } from "../../src/client/index.ts";
import { answerCases } from "../client-suite/answers.ts";
import { roomCases } from "../client-suite/rooms.ts";
import type { Surroundings } from "../client-suite/suite.ts";
import { topicCases } from "../client-suite/topics.ts";
import { launchBrowser } from "../support/browser.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { openTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";

/** Where the page's own functions are, once it has loaded. */
type Lending = typeof globalThis & {
  readonly lent: {
    readonly createClient: typeof createClient;
    readonly indexedDbOutbox: () => OutboxStorage;
    readonly run: (title: string, surroundings: Surroundings) => Promise<string | undefined>;
  };
  readonly cutNetwork: () => Promise<void>;
  room: Room;
  /** Messages that the room's outbox has stored. */
  kept: number;
  seen: unknown[];
};

let worker: RunningWorker;
let proxy: TcpProxy;
let browser: Browser;
/** Serves the page: a browser lets none that a test made up open sockets to this machine. */
let pages: Server;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: ["test/browser/client-page.js"],
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
  });
  const script = outputFiles[0]?.text.replaceAll("</script", "<\\/script") ?? "";
  pages = createServer((_request, response) => {
    response.setHeader("content-type", "text/html; charset=utf-8");
    response.end(`<!doctype html><script type="module">${script}</script>`);
  });
  pages.listen(0, "127.0.0.1");
  await once(pages, "listening");
  worker = await startWorker({});
  proxy = await openTcpProxy(worker.port);
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  pages.close();
  await proxy[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
});

const pageUrl = (): string => `http://127.0.0.1:${(pages.address() as AddressInfo).port}/`;

async function openPage(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(pageUrl());
  return page;
}

test.each([...topicCases, ...roomCases, ...answerCases].map(({ title }) => title))(
  "%s",
  async (title) => {
    const context = await browser.newContext();
    const page = await openPage(context);
    await page.exposeFunction("cutNetwork", () => {
      proxy.cut();
    });
    const error = await page.evaluate(
      async ({ title, url, brokenUrl }) => {
        const { lent, cutNetwork } = globalThis as Lending;
        return await lent.run(title, { url, brokenUrl, cut: cutNetwork });
      },
      { title, url: worker.origin, brokenUrl: proxy.origin },
    );
    expect(error).toBeUndefined();
    await context.close();
  },
);

test("[W5] an outbox in IndexedDB survives reloads without a network, and is sent once and in order", async () => {
  const context = await browser.newContext();
  const page = await openPage(context);
  const open = async (url: string): Promise<void> => {
    await page.evaluate((url) => {
      const page = globalThis as Lending;
      const client = page.lent.createClient({ url });
      const storage = page.lent.indexedDbOutbox();
      page.kept = 0;
      const add: typeof storage.add = async (box, message) => {
        await storage.add(box, message);
        page.kept += 1;
      };
      const outbox = { storage: { ...storage, add } };
      page.room = client.room("kept", { member: "ann", outbox });
    }, url);
  };
  const publish = async (value: number): Promise<void> => {
    await page.evaluate((value) => {
      void (globalThis as Lending).room.publish("chat", value);
    }, value);
  };
  const waiting = (): Promise<number> =>
    page.evaluate(() => (globalThis as Lending).room.outbox.size.get());
  for (const round of [0, 1]) {
    await context.setOffline(true);
    await open(worker.origin);
    for (const n of [1, 2, 3]) await publish(round * 3 + n);
    await until("all to wait", async () => (await waiting()) === 3 + round * 3);
    // A page that goes in the same moment takes along what the database has not got yet.
    await until("all to be kept", () => page.evaluate(() => (globalThis as Lending).kept === 3));
    // Away first: with the network back, this page would send them itself.
    await page.goto("about:blank");
    await context.setOffline(false);
    await page.goto(pageUrl());
  }
  await open(worker.origin);
  await publish(7);
  const said = await page.evaluate(async () => {
    const { room } = globalThis as Lending;
    await room.outbox.drained();
    const { messages } = await room.history();
    return messages.map(({ payload }) => payload);
  });
  expect(said).toEqual([1, 2, 3, 4, 5, 6, 7]);
  await page.reload();
  await open(worker.origin);
  await publish(8);
  await until("the last to be sent", async () => (await waiting()) === 0);
  const count = await page.evaluate(
    async () => (await (globalThis as Lending).room.history()).messages.length,
  );
  expect(count).toBe(8);
  await context.close();
});

test("[S4][W3] when the network returns, a reader is back at once and has everything", async () => {
  const context = await browser.newContext();
  const page = await openPage(context);
  const publish = async (n: number): Promise<void> => {
    const body = JSON.stringify({ event: "n", data: n });
    await fetch(`${worker.origin}/v1/topics/returning`, { method: "POST", body });
  };
  await publish(1);
  await context.setOffline(true);
  await page.evaluate((url) => {
    const page = globalThis as Lending;
    page.seen = [];
    const topic = page.lent.createClient({ url }).topic("returning");
    topic.state.onChange(() => page.seen.push(topic.state.get().kind));
    topic.subscribe((item) => {
      page.seen.push(item.kind === "message" ? item.data : item.kind);
    });
  }, worker.origin);
  const seen = (): Promise<unknown[]> => page.evaluate(() => (globalThis as Lending).seen);
  await until("some attempts to fail", async () => (await seen()).length >= 4, seen);
  await context.setOffline(false);
  const returned = performance.now();
  await until("the event", async () => (await seen()).includes(1), seen);
  // Not after the thirty seconds that a page without a network waits for it.
  expect(performance.now() - returned).toBeLessThan(10_000);
  await context.close();
});
