/** The console in some tabs of one browser: one connection for both, shown as such, cut and restored for both. */
import type { Browser, Page, WebSocket } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { openConsole } from "../support/console-page.ts";
import { serveForBrowser } from "../support/serve-for-browser.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { countOpen } from "../support/tabs.ts";
import { TopicClient } from "../support/topic-client.ts";
import { until } from "../support/until.ts";

let browser: Browser;
let worker: RunningWorker;

beforeAll(async () => {
  [browser, worker] = await Promise.all([launchBrowser(), startWorker({ KEEPALIVE_MS: "200" })]);
});
afterAll(async () => {
  await Promise.all([browser.close(), worker[Symbol.asyncDispose]()]);
});

const facts = (page: Page, name: string) =>
  page.getByRole("list", { name: "Connections" }).getByRole("listitem").filter({ hasText: name });

test("[S7][W3] two tabs of the console are one member by one socket and read a topic by one stream, also after a cut", async () => {
  const context = await browser.newContext({ viewport: { width: 1400, height: 800 } });
  await context.addInitScript(`
    sessionStorage.setItem("sluice.room", "tabs");
    sessionStorage.setItem("sluice.member", "Ann");
  `);
  const sockets = new Set<WebSocket>();
  context.on("page", (page) => {
    page.on("websocket", (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
  });
  const opened = [
    await openConsole(context, worker.origin, "room"),
    await openConsole(context, worker.origin, "room"),
  ] as const;
  const [one, other] = opened.map(({ page }) => page);
  if (one === undefined || other === undefined) throw new Error("A tab is missing.");
  const tabs = [one, other];
  await facts(one, "room tabs").getByText("this tab leads").waitFor();
  await facts(other, "room tabs").getByText("by another tab").waitFor();
  expect(sockets.size).toBe(1);

  for (const tab of tabs) await tab.getByRole("tab", { name: "Topics" }).click();
  const topic = new TopicClient(() => worker.origin, "news");
  await topic.publish({ data: "first" });
  for (const tab of tabs) await tab.locator(".events").getByText("first").waitFor();
  await until("one stream", async () => (await topic.stats())["connections"] === 1);

  // In the tab that has no connection of its own.
  await other.getByRole("button", { name: "Cut the network" }).click();
  for (const tab of tabs) {
    await tab.getByText("Network cut").waitFor();
    await facts(tab, "room tabs").getByText(/^Lost/).waitFor();
    await facts(tab, "topic news").getByText(/^Lost/).waitFor();
  }
  await until("nothing to be connected", async () => (await topic.stats())["connections"] === 0);
  expect(sockets.size).toBe(0);
  await topic.publish({ data: "second" });
  // A tab that is opened now has no network either.
  const third = (await openConsole(context, worker.origin, "topics")).page;
  await third.getByText("Network cut").waitFor();
  await one.getByRole("button", { name: "Restore it" }).click();
  for (const tab of [...tabs, third]) {
    await tab.locator(".events").getByText("second").waitFor();
    await facts(tab, "topic news").getByText("Live").waitFor();
  }
  await until("one stream", async () => (await topic.stats())["connections"] === 1);
  await until("one socket", () => sockets.size === 1);

  // Whichever tab leads: the others go on without it.
  await one.close();
  await topic.publish({ data: "third" });
  for (const tab of [other, third]) await tab.locator(".events").getByText("third").waitFor();
  await facts(other, "room tabs").getByText("this tab leads").waitFor();
  expect(opened.flatMap(({ complaints }) => complaints)).toEqual([]);
  await context.close();
});

test("[S7][L4] tabs that show an answer that another one has asked for read it over one connection", async () => {
  await using served = await serveForBrowser();
  const context = await browser.newContext();
  const asked = countOpen(context, /\/chat\/completions$/);
  const read = countOpen(context, /\/events$/);
  const tabs: Page[] = [];
  for (let n = 0; n < 3; n += 1) tabs.push((await openConsole(context, served.url.origin)).page);
  const [one, ...others] = tabs;
  await one?.getByLabel("Demo").selectOption("demo-endless");
  await one?.getByLabel("Message").fill("Count");
  await one?.getByRole("button", { name: "Send" }).click();
  for (const tab of tabs) await tab.getByText("I count until you stop me: 1, 2").waitFor();
  await until(
    "one to ask and one to read",
    () => asked() === 1 && read() === 1,
    () => [asked(), read()],
  );
  await others[0]?.getByRole("button", { name: "Stop", exact: true }).click();
  const texts = tabs.map(async (tab) => {
    await tab.locator(".answer").getByText("Stopped.").waitFor();
    return await tab.locator(".answer .prose").innerText();
  });
  expect(new Set(await Promise.all(texts)).size).toBe(1);
  await context.close();
});
