/** `useChat` over Sluice's transport in a real browser whose network breaks. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { bundlePage, type OpenPage } from "../support/client-page.ts";
import { ROLE, chunk } from "../support/openai-events.ts";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { until } from "../support/until.ts";
import { keepsTalking } from "../support/upstream-scripts.ts";

let upstream: ScriptedUpstream;
let worker: RunningWorker;
let browser: Browser;
let open: OpenPage;

beforeAll(async () => {
  upstream = await startUpstream();
  [browser, worker, open] = await Promise.all([
    launchBrowser(),
    startWorker({
      OPENAI_BASE_URL: upstream.baseURL,
      OPENAI_MODEL: "test-model",
      KEEPALIVE_MS: "200",
    }),
    bundlePage("test/browser/ai-page.js", "development"),
  ]);
});

afterAll(async () => {
  await browser.close();
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

const shows = (page: Page, text: string): Promise<void> =>
  until(`the page shows ${text}`, async () =>
    (await page.locator(".assistant").allInnerTexts()).some((shown) => shown.includes(text)),
  );
const isReady = (page: Page): Promise<void> =>
  until("the page is ready", async () => (await page.locator("#status").innerText()) === "ready");

test("[E1][L4] the network is cut in mid-answer, again and again: the same message goes on, no word is lost or doubled, and it is paid once", async () => {
  await using proxy = await openTcpProxy(worker.port);
  const words = Array.from({ length: 12 }, (_, n) => ` word${n}`);
  const gates = words.map(() => Promise.withResolvers<void>());
  const asked = upstream.exchanges.length;
  upstream.reply(async (wire) => {
    wire.head(200, { "content-type": "text/event-stream" });
    await wire.write(ROLE);
    for (const [n, word] of words.entries()) {
      await gates[n]?.promise;
      await wire.write(chunk({ content: word }));
    }
    await wire.write(chunk({}, "stop"));
    wire.end("data: [DONE]\n\n");
  });
  const context = await browser.newContext();
  const page = await open(context, `${proxy.origin}/page?chat=cut`);
  await page.click("#send");
  for (const [n, word] of words.entries()) {
    const isCut = n % 4 === 2;
    if (isCut) {
      await context.setOffline(true);
      proxy.cut();
    }
    gates[n]?.resolve();
    // The last words are written, and the answer ends, while nobody is connected.
    if (n === 10) await context.setOffline(true);
    if (n === 10) proxy.cut();
    if (n === 11) await until("the provider is done", () => upstream.openSockets() === 0);
    if (n === 11 || isCut) await context.setOffline(false);
    if (n < 10 || n === 11) await shows(page, word.trim());
  }
  await isReady(page);
  expect(await page.locator(".assistant").allInnerTexts()).toEqual([words.join("").trim()]);
  expect(await page.locator("#error").innerText()).toBe("");
  expect(upstream.exchanges.length - asked).toBe(1);
  await context.close();
});

test("[E1][L3] a stop ends the answer for the page and at the provider; a reload in mid-answer reads on", async () => {
  upstream.reply(keepsTalking(chunk({ content: "word " }), 20));
  const context = await browser.newContext();
  const page = await open(context, `${worker.origin}/page?chat=stop`);
  await page.click("#send");
  await shows(page, "word word");
  await page.reload();
  await shows(page, "word word");
  await page.click("#stop");
  await isReady(page);
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
  expect(await page.locator("#error").innerText()).toBe("");
  await context.close();
});
