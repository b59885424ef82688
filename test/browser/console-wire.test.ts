/** The console's Wire and Chat in a real browser: what is shown of connections that break and come back. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, expect, test } from "vitest";
import { openConsole } from "../support/console-page.ts";
import { stageConsole } from "../support/console-stage.ts";
import { ROLE, chunk } from "../support/openai-events.ts";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { startWorker } from "../support/start-worker.ts";
import { openTcpProxy } from "../support/tcp-proxy.ts";
import { TopicClient } from "../support/topic-client.ts";
import { until } from "../support/until.ts";
import { keepsTalking } from "../support/upstream-scripts.ts";

let upstream: ScriptedUpstream;

// Before the stage: what is begun last ends first.
afterAll(async () => {
  await upstream[Symbol.asyncDispose]();
});
const stage = stageConsole(async () => {
  upstream = await startUpstream();
  return { OPENAI_BASE_URL: upstream.baseURL, OPENAI_MODEL: "test-model" };
});

/** A window wide enough to have the wire beside the panel. */
const wide = async (): Promise<BrowserContext> =>
  await stage.browser.newContext({ viewport: { width: 1400, height: 800 } });

const rows = (page: Page) => page.getByRole("region", { name: "Frames and events" });
const connection = (page: Page, name: string) =>
  page.getByRole("list", { name: "Connections" }).getByRole("listitem").filter({ hasText: name });
const answers = (page: Page) => page.locator(".answer .prose");

async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel("Message").fill(question);
  await page.keyboard.press("Enter");
}

/** An answer that goes on when it is told to. */
function halfAnswer(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  upstream.reply(async (wire) => {
    wire.head(200, { "content-type": "text/event-stream" });
    await wire.write(ROLE + chunk({ content: "Grüße" }) + chunk({ content: " aus" }));
    await promise;
    await wire.write(chunk({ content: " 東京" }) + chunk({ content: "." }, "stop"));
    wire.end("data: [DONE]\n\n");
  });
  return resolve;
}

test("[E1][L4] reloaded in mid-answer, the answer goes on, without a word twice and paid once", async () => {
  const goOn = halfAnswer();
  const context = await wide();
  const { page, complaints } = await openConsole(context, stage.worker.origin);
  await ask(page, "Where from?");
  await answers(page).getByText("Grüße aus").waitFor();
  await page.reload();
  await answers(page).getByText("Grüße aus").waitFor();
  goOn();
  await page.getByText("The answer is complete.").waitFor({ state: "attached" });
  expect(await answers(page).allInnerTexts()).toEqual(["Grüße aus 東京."]);
  // What has ended is kept by the page itself.
  await page.reload();
  await until("it is still there", async () => (await answers(page).count()) === 1);
  expect(await answers(page).allInnerTexts()).toEqual(["Grüße aus 東京."]);
  expect(upstream.exchanges.length).toBe(1);
  expect(complaints).toEqual([]);
});

test("[E1][L3][L4] two tabs are in step, and a stop in one stops both and the provider", async () => {
  upstream.reply(keepsTalking(chunk({ content: "word " }), 20));
  const context = await wide();
  const [{ page: one }, { page: other }] = [
    await openConsole(context, stage.worker.origin),
    await openConsole(context, stage.worker.origin),
  ];
  await ask(one, "Talk");
  await answers(one).getByText("word").waitFor();
  await answers(other).getByText("word").waitFor();
  await other.getByRole("button", { name: "Stop" }).click();
  for (const page of [one, other]) await page.locator(".answer").getByText("Stopped.").waitFor();
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
  await until(
    "both show the same",
    async () => (await answers(one).innerText()) === (await answers(other).innerText()),
  );
  expect(upstream.exchanges.length).toBe(1);
  await one.getByRole("button", { name: "New conversation" }).click();
  for (const page of [one, other]) {
    await page.getByRole("heading", { name: "What would you like to know?" }).waitFor();
  }
});

test("[L4][S4] the network cut in mid-answer: the wire says so, and the answer goes on where it was", async () => {
  const goOn = halfAnswer();
  const context = await wide();
  const { page } = await openConsole(context, stage.worker.origin);
  await ask(page, "Where from?");
  await answers(page).getByText("Grüße aus").waitFor();
  await page.getByRole("button", { name: "Cut the network" }).click();
  await connection(page, "answer").getByText(/^Lost/).waitFor();
  await page.getByText("Network cut").waitFor();
  await rows(page).getByText("Everything open breaks").waitFor();
  goOn();
  await page.getByRole("button", { name: "Restore it" }).click();
  await page.getByText("The answer is complete.").waitFor({ state: "attached" });
  expect(await answers(page).innerText()).toBe("Grüße aus 東京.");
  await connection(page, "answer").getByText("lost 1×").waitFor();
});

test("[E1] frames and events are decoded, filtered, opened and held still", async () => {
  const topic = new TopicClient(() => stage.worker.origin, "news");
  const context = await wide();
  const { page, complaints } = await openConsole(context, stage.worker.origin, "room");
  await page.getByLabel("Say something").fill("é😴");
  await page.keyboard.press("Enter");
  const row = (name: RegExp) => rows(page).getByRole("button", { name });
  await row(/^sent hello .*"member":"/).waitFor();
  await row(/^received welcome .*"heartbeat"/).waitFor();
  await row(/^sent publish .*"text":"é😴"/).waitFor();
  await row(/^received deliver .*é😴.* #1$/).click();
  await rows(page).locator("pre").getByText('"sender": "').waitFor();
  await connection(page, "room lobby").getByText("Live").waitFor();

  await page.getByRole("tab", { name: "Topics" }).click();
  await topic.publish({ event: "order", data: { n: 7 } });
  await row(/^received order \{"n":7\} #1$/).click();
  await rows(page)
    .getByText(/position [a-z0-9]+_0+1/)
    .waitFor();
  await rows(page).locator("pre").getByText('"n": 7').waitFor();

  await page.getByLabel("Show").selectOption("Rooms");
  await until("only the room", async () => (await row(/received order/).count()) === 0);
  await row(/^sent hello/).waitFor();
  await page.getByLabel("Show").selectOption("Everything");
  await page.getByRole("button", { name: "Pause" }).click();
  await topic.publish({ event: "later", data: 1 });
  await page.getByRole("list", { name: "Events of news" }).getByText("later").waitFor();
  expect(await row(/^received later/).count()).toBe(0);
  await page.getByRole("button", { name: "Pause" }).click();
  await row(/^received later 1 #2$/).waitFor();
  await page.getByRole("button", { name: "Clear" }).click();
  await rows(page).getByText("What goes over the wire appears here.").waitFor();
  expect(complaints).toEqual([]);
});

test("[S3][S4][W3] the server killed and started again: topics and rooms go on by themselves", async () => {
  const storage = await mkdtemp(join(tmpdir(), "sluice-console-"));
  let current = await startWorker({}, { storage });
  await using proxy = await openTcpProxy(() => current.port);
  const topic = new TopicClient(() => current.origin, "news");
  const context = await wide();
  const { page } = await openConsole(context, proxy.origin, "topics");
  const events = page.getByRole("list", { name: "Events of news" });
  await topic.publish({ event: "first", data: 1 });
  await events.getByText("first").waitFor();
  await page.getByRole("tab", { name: "Room" }).click();
  await connection(page, "room lobby").getByText("Live").waitFor();

  await current.kill();
  await current[Symbol.asyncDispose]();
  await connection(page, "room lobby").getByText(/^Lost/).waitFor();
  await connection(page, "topic news").getByText(/^Lost/).waitFor();
  await page.getByLabel("Say something").fill("into the dark");
  await page.keyboard.press("Enter");
  await page.getByText("1 waiting to be sent").waitFor();

  current = await startWorker({}, { storage });
  await topic.publish({ event: "second", data: 2 });
  await page.getByText("Everything is sent.").waitFor();
  await connection(page, "room lobby").getByText("Live").waitFor();
  await page.getByRole("tab", { name: "Topics" }).click();
  await events.getByText("second").waitFor();
  expect(await events.getByRole("listitem").count()).toBe(2);
  await context.close();
  await current[Symbol.asyncDispose]();
  await rm(storage, { recursive: true });
});
