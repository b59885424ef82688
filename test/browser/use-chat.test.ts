/** The AI SDK's `useChat`, unchanged, in a real browser: reload, resume, stop from another tab. */
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { ROLE, chunk } from "../support/openai-events.ts";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";
import { keepsTalking } from "../support/upstream-scripts.ts";

let upstream: ScriptedUpstream;
let worker: RunningWorker;
let browser: Browser;
let html: string;

beforeAll(async () => {
  const built = await build({
    entryPoints: ["test/browser/use-chat-page.js"],
    bundle: true,
    write: false,
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const script = built.outputFiles[0]?.text.replaceAll("</script", "<\\/script") ?? "";
  html = `<!doctype html><div id="root"></div><script type="module">${script}</script>`;
  upstream = await startUpstream();
  worker = await startWorker({
    OPENAI_BASE_URL: upstream.baseURL,
    OPENAI_MODEL: "test-model",
    KEEPALIVE_MS: "200",
  });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function openTab(context: BrowserContext, chat: string): Promise<Page> {
  const page = await context.newPage();
  await page.route("**/use-chat*", (route) =>
    route.fulfill({ contentType: "text/html; charset=utf-8", body: html }),
  );
  await page.goto(`${worker.origin}/use-chat?chat=${chat}`);
  return page;
}

const answerOf = (page: Page): Promise<string> => page.locator(".assistant").innerText();
const shows = (page: Page, text: string): Promise<void> =>
  until(`the page shows ${text}`, async () =>
    (await page.locator(".assistant").allInnerTexts()).some((shown) => shown.includes(text)),
  );
const isReady = (page: Page): Promise<void> =>
  until("the page is ready", async () => (await page.locator("#status").innerText()) === "ready");

test("[E1][L4] reloaded in mid-answer, the answer goes on, without a word twice and paid once", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  upstream.reply(async (wire) => {
    wire.head(200, { "content-type": "text/event-stream" });
    await wire.write(ROLE + chunk({ content: "Grüße" }) + chunk({ content: " aus" }));
    await promise;
    await wire.write(chunk({ content: " 東京" }) + chunk({ content: "." }, "stop"));
    wire.end("data: [DONE]\n\n");
  });
  const context = await browser.newContext();
  const page = await openTab(context, "reload");
  await page.click("#send");
  await shows(page, "Grüße aus");
  const id = await page.locator(".assistant").getAttribute("id");
  await page.reload();
  await shows(page, "Grüße aus");
  resolve();
  await shows(page, "東京.");
  await isReady(page);
  expect(await answerOf(page)).toBe("Grüße aus 東京.");
  expect(await page.locator(".assistant").getAttribute("id")).toBe(id);
  expect(await page.locator("p").count()).toBe(2);
  expect(await page.locator("#error").innerText()).toBe("");
  expect(upstream.exchanges.length).toBe(1);
  await context.close();
});

test("[E1][L3] a stop from a second tab stops both, and the provider", async () => {
  upstream.reply(keepsTalking(chunk({ content: "word " }), 20));
  const context = await browser.newContext();
  const first = await openTab(context, "stop");
  await first.click("#send");
  await shows(first, "word");
  const second = await openTab(context, "stop");
  await shows(second, "word");
  await second.click("#stop");
  await Promise.all([isReady(first), isReady(second)]);
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
  expect(await answerOf(first)).toBe(await answerOf(second));
  expect(await first.locator("#error").innerText()).toBe("");
  await context.close();
});
