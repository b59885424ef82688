/** The client in several tabs of a real browser: one connection for all, handed on when its tab is closed. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { bundlePage, type OpenPage } from "../support/client-page.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { TopicClient } from "../support/topic-client.ts";
import { until } from "../support/until.ts";

const TABS = 3;

let browser: Browser;
let worker: RunningWorker;
let open: OpenPage;

beforeAll(async () => {
  [browser, worker, open] = await Promise.all([
    launchBrowser(),
    startWorker({ KEEPALIVE_MS: "200" }),
    bundlePage("test/browser/tabs-page.js"),
  ]);
});
afterAll(async () => {
  await Promise.all([browser.close(), worker[Symbol.asyncDispose]()]);
});

const openTabs = async (context: BrowserContext, origin: string): Promise<Page[]> => {
  const tabs: Page[] = [];
  for (let n = 0; n < TABS; n += 1) tabs.push(await open(context, `${origin}/page`));
  return tabs;
};
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const itemsOf = async (page: Page): Promise<unknown[]> => await page.evaluate("seen.items");
const allHave = async (tabs: readonly Page[], count: number): Promise<void> => {
  await until(`all tabs have ${count}`, async () =>
    (await Promise.all(tabs.map(itemsOf))).every((items) => items.length >= count),
  );
};
const roomStats = async (name: string): Promise<Record<string, number>> =>
  (await (await fetch(`${worker.origin}/v1/rooms/${name}/stats`)).json()) as Record<string, number>;

test("[S7][S3] three tabs read a topic over one connection; the tab that holds it is closed, then the next, and nothing is lost or doubled", async () => {
  const topic = new TopicClient(() => worker.origin, "shared");
  const context = await browser.newContext();
  const tabs = await openTabs(context, worker.origin);
  let next = 0;
  const publish = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      await topic.publish({ data: next });
      next += 1;
    }
  };
  await publish(5);
  for (const tab of tabs) await tab.evaluate(`globalThis.seen = readTopic("shared"); undefined`);
  await allHave(tabs, next);
  await until("one connection", async () => (await topic.stats())["connections"] === 1);
  while (tabs.length > 1) {
    await tabs.shift()?.close();
    // While nobody may be connected.
    await publish(5);
    await allHave(tabs, next);
    await publish(5);
    await allHave(tabs, next);
    await until("one connection", async () => (await topic.stats())["connections"] === 1);
  }
  for (const tab of tabs) expect(await itemsOf(tab)).toEqual(numbers(next));
  await context.close();
  await until("none", async () => (await topic.stats())["connections"] === 0);
});

test("[S7][S4] the network is cut under the shared connection: every tab goes on once and in order", async () => {
  await using proxy = await openTcpProxy(worker.port);
  const topic = new TopicClient(() => worker.origin, "cut");
  const context = await browser.newContext();
  const tabs = await openTabs(context, proxy.origin);
  for (const tab of tabs) await tab.evaluate(`globalThis.seen = readTopic("cut"); undefined`);
  let next = 0;
  for (let round = 0; round < 3; round += 1) {
    for (let n = 0; n < 5; n += 1) {
      await topic.publish({ data: next });
      next += 1;
      if (n === 2) proxy.cut();
    }
    await allHave(tabs, next);
  }
  for (const tab of tabs) expect(await itemsOf(tab)).toEqual(numbers(next));
  await until("one connection", async () => (await topic.stats())["connections"] === 1);
  await context.close();
});

test("[S7][W3][W6] three tabs are one member by one connection; each publishes, all hear all once, also when the holding tab is closed", async () => {
  // A page that a test has put there counts as one of another network, from which no socket leads here.
  const context = await browser.newContext({ permissions: ["local-network-access"] });
  const tabs = await openTabs(context, worker.origin);
  for (const tab of tabs) {
    await tab.evaluate(`{
      globalThis.seen = joinRoom("shared", { member: "ann", history: 50 });
      seen.room.join().then(() => undefined);
    }`);
  }
  let next = 0;
  const talk = async (): Promise<void> => {
    for (const tab of tabs) {
      await tab.evaluate(`seen.room.publish("say", ${next}).then(() => undefined)`);
      next += 1;
    }
  };
  await talk();
  await allHave(tabs, next);
  expect(await roomStats("shared")).toMatchObject({ connections: 1, members: 1 });
  await tabs.shift()?.close();
  await talk();
  await allHave(tabs, next);
  tabs.push(await open(context, `${worker.origin}/page`));
  await tabs.at(-1)?.evaluate(`{
    globalThis.seen = joinRoom("shared", { member: "ann", history: 50 });
    seen.room.join().then(() => undefined);
  }`);
  await talk();
  await allHave(tabs, next);
  for (const tab of tabs) {
    expect(await itemsOf(tab)).toEqual(numbers(next));
    expect(await tab.evaluate("seen.room.presence.get()")).toMatchObject({ count: 1 });
  }
  await until("one connection", async () => (await roomStats("shared"))["connections"] === 1);
  await context.close();
});
