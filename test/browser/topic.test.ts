/** Topics in a real browser: its own `EventSource` while the network breaks. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { TopicClient } from "../support/topic-client.ts";
import { until } from "../support/until.ts";

const CUTS = 3;

let browser: Browser;
let worker: RunningWorker;

beforeAll(async () => {
  [browser, worker] = await Promise.all([launchBrowser(), startWorker({ KEEPALIVE_MS: "200" })]);
});
afterAll(async () => {
  await Promise.all([browser.close(), worker[Symbol.asyncDispose]()]);
});

test("[E1][S4][S3] Chromium's EventSource, the network cut and restored, misses and doubles nothing and stops at the end", async () => {
  await using proxy = await openTcpProxy(worker.port);
  const topic = new TopicClient(() => worker.origin, "chromium");
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.route("**/blank", async (route) => {
    await route.fulfill({ contentType: "text/html", body: "<!doctype html>" });
  });
  await page.goto(`${proxy.origin}/blank`);
  const asked: (string | undefined)[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/v1/topics/")) asked.push(request.url());
  });
  await page.evaluate(`{
    globalThis.seen = [];
    globalThis.ends = [];
    globalThis.source = new EventSource("/v1/topics/${topic.name}");
    source.onmessage = ({ data }) => seen.push(JSON.parse(data));
    source.addEventListener("end", ({ data }) => ends.push(JSON.parse(data)));
  }`);
  const ask = async <T>(expression: string): Promise<T> => await page.evaluate<T>(expression);
  let next = 0;
  const publish = async (): Promise<void> => {
    for (let n = 0; n < 5; n += 1) {
      await topic.publish({ data: next });
      next += 1;
    }
  };
  for (let cut = 0; cut < CUTS; cut += 1) {
    await publish();
    await until("the page has all", async () => (await ask("seen.length")) === next);
    await context.setOffline(true);
    proxy.cut();
    await until("the page noticed", async () => (await ask("source.readyState")) === 0);
    // While nobody is connected.
    await publish();
    expect(await ask("seen.length")).toBe(next - 5);
    await context.setOffline(false);
    await until("the page has all again", async () => (await ask("seen.length")) === next);
  }
  await topic.close();
  await until("the page stays away", async () => (await ask("source.readyState")) === 2);
  expect(await ask("seen")).toEqual(Array.from({ length: next }, (_, n) => n));
  expect(await ask("ends")).toEqual([{ outcome: "completed" }]);
  expect(asked.length).toBeGreaterThanOrEqual(1 + CUTS + 1);
  await context.close();
});

test("[I1][I7] the topic forgets a tab that is closed", async () => {
  const topic = new TopicClient(() => worker.origin, "closed-tab");
  await topic.publish({ data: 1 });
  const page = await browser.newPage();
  await page.route("**/blank", async (route) => {
    await route.fulfill({ contentType: "text/html", body: "<!doctype html>" });
  });
  await page.goto(`${worker.origin}/blank`);
  await page.evaluate(`new Promise((resolve) => {
    globalThis.source = new EventSource("/v1/topics/${topic.name}");
    source.onmessage = resolve;
  }).then(() => undefined)`);
  expect(await topic.stats()).toMatchObject({ connections: 1 });
  await page.close();
  await until("it is forgotten", async () => (await topic.stats())["connections"] === 0);
});
