/** The hooks in a real browser, in StrictMode: what is mounted is connected once, what is gone is not. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { bundlePage } from "../support/client-page.ts";
import { ROLE, chunk } from "../support/openai-events.ts";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { TopicClient } from "../support/topic-client.ts";
import { until } from "../support/until.ts";
import { keepsTalking } from "../support/upstream-scripts.ts";

let upstream: ScriptedUpstream;
let worker: RunningWorker;
let browser: Browser;
let page: Page;
let feed: TopicClient;
const complaints: string[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
  const [launched, started, open] = await Promise.all([
    launchBrowser(),
    startWorker({
      OPENAI_BASE_URL: upstream.baseURL,
      OPENAI_MODEL: "test-model",
      KEEPALIVE_MS: "200",
    }),
    bundlePage("test/browser/react-page.js", "development"),
  ]);
  browser = launched;
  worker = started;
  feed = new TopicClient(() => worker.origin, "react-feed");
  const context = await browser.newContext({ permissions: ["local-network-access"] });
  page = await open(context, `${worker.origin}/page`);
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
});

afterAll(async () => {
  await browser.close();
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const shows = (id: string, text: string): Promise<void> =>
  until(`#${id} shows ${text}`, async () => (await page.locator(`#${id}`).textContent()) === text);
const roomStats = async (): Promise<Record<string, number>> =>
  (await (await fetch(`${worker.origin}/v1/rooms/react-room/stats`)).json()) as Record<
    string,
    number
  >;

test("[E1][S7] two components read a topic once each and over one connection; what is published shows in both", async () => {
  for (let n = 0; n < 3; n += 1) await feed.publish({ data: n });
  await shows("first", "0,1,2");
  await shows("second", "0,1,2");
  await shows("first-state", "live");
  expect(await feed.stats()).toMatchObject({ connections: 1 });
  await page.click("#second-publish");
  await shows("first", "0,1,2,3");
});

test("[E1][W6] presence and messages of a room come over one connection of one member", async () => {
  await shows("who", "1 ann");
  await page.click("#say");
  await shows("talk", "m0");
  await page.click("#say");
  await shows("talk", "m0,m1");
  await shows("pending", "0");
  expect(await roomStats()).toMatchObject({ connections: 1, members: 1 });
});

test("[E1][L1] an answer shows as it is written, to its end, and another can be stopped", async () => {
  upstream.reply(async (wire) => {
    wire.head(200, { "content-type": "text/event-stream" });
    await wire.write(ROLE + chunk({ content: "Grüße" }) + chunk({ content: " aus" }));
    await wire.write(chunk({ content: " 東京." }, "stop"));
    wire.end("data: [DONE]\n\n");
  });
  await shows("status", "idle");
  await page.click("#ask");
  await shows("status", "completed");
  expect(await page.locator("#text").textContent()).toBe("Grüße aus 東京.");
  upstream.reply(keepsTalking(chunk({ content: "word " }), 20));
  await page.click("#ask");
  await until("it talks", async () =>
    ((await page.locator("#text").textContent()) ?? "").startsWith("word word"),
  );
  await page.click("#stop");
  await shows("status", "stopped");
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
});

test("[I7][E1] components that are gone hold no connection, and go on when they come back", async () => {
  await page.click("#toggle");
  await until("nobody reads", async () => (await feed.stats())["connections"] === 0);
  await until("nobody is in the room", async () => (await roomStats())["connections"] === 0);
  await feed.publish({ data: 4 });
  await page.click("#toggle");
  await shows("first", "0,1,2,3,4");
  await shows("talk", "m0,m1");
  await shows("who", "1 ann");
  await until("one reads", async () => (await feed.stats())["connections"] === 1);
  expect(complaints).toEqual([]);
});
