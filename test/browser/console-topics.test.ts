/** The console's Topics in a real browser: a topic to write to, the feed of prices, the job. */
import { sign } from "hono/jwt";
import { expect, test } from "vitest";
import { openConsole } from "../support/console-page.ts";
import { stageConsole } from "../support/console-stage.ts";
import { startWorker } from "../support/start-worker.ts";
import { TopicClient } from "../support/topic-client.ts";
import { until } from "../support/until.ts";

const stage = stageConsole();

test("[S1][S3][E1] what is published, here or elsewhere, appears in the list, once", async () => {
  const topic = new TopicClient(() => stage.worker.origin, "news");
  await topic.publish({ event: "early", data: "before anybody looked" });
  const { page, complaints } = await openConsole(stage.browser, stage.worker.origin, "topics");
  const events = page.getByRole("list", { name: "Events of news" }).getByRole("listitem");
  await events.filter({ hasText: "before anybody looked" }).waitFor();
  await page.getByLabel("Event", { exact: true }).fill("greeting");
  await page.getByLabel("Data", { exact: true }).fill('{"text": "é😴"}');
  await page.getByRole("button", { name: "Publish" }).click();
  await events.filter({ hasText: 'greeting{"text":"é😴"}' }).waitFor();
  await page.getByLabel("Data", { exact: true }).fill("no JSON <b>at all</b>");
  await page.keyboard.press("Enter");
  await events.filter({ hasText: "no JSON <b>at all</b>" }).waitFor();
  await topic.publish({ event: "late", data: 4 });
  await events.filter({ hasText: "late" }).waitFor();
  // The newest stands first.
  const shown = (await events.allInnerTexts()).map((text) => text.split(/\s/)[0]);
  expect(shown).toEqual(["late", "message", "greeting", "early"]);
  await page.getByLabel("Topic", { exact: true }).fill("other");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByText("Nothing yet. Publish something").waitFor();
  expect(complaints).toEqual([]);
});

test("[S6][E1] the chart is there where the browser's language is none", async () => {
  const context = await stage.browser.newContext();
  const none = "en-US@posix";
  await context.addInitScript(
    `Object.defineProperty(Navigator.prototype, "language", { get: () => "${none}" })`,
  );
  const { page, complaints } = await openConsole(context, stage.worker.origin, "topics");
  await page.getByRole("button", { name: "Start a feed" }).click();
  await page.locator(".chart canvas").waitFor();
  expect(await page.evaluate("navigator.language")).toBe(none);
  expect(complaints).toEqual([]);
});

test("[S6][E1] the feed of prices moves a chart and a table, again after a reload, and ends", async () => {
  const context = await stage.browser.newContext();
  // The same feed, in a hurry.
  await context.route("**/v1/feeds/demo", async (route) => {
    await route.continue({ postData: JSON.stringify({ ticks: 100, tickMs: 100 }) });
  });
  const { page, complaints } = await openConsole(context, stage.worker.origin, "topics");
  const chart = page.getByRole("img", { name: /^Chart: ACME/ });
  const cells = page.getByRole("table", { name: "The newest prices" }).getByRole("cell");
  await page.getByRole("button", { name: "Start a feed" }).click();
  await chart.locator("canvas").waitFor();
  const first = await cells.allInnerTexts();
  expect(first).toHaveLength(10);
  const pixels = async (): Promise<unknown> =>
    await page.evaluate(`document.querySelector(".chart canvas").toDataURL()`);
  const drawn = await pixels();
  await until(
    "the prices to move",
    async () => (await cells.allInnerTexts()).join() !== first.join(),
  );
  await until("the chart to move", async () => (await pixels()) !== drawn);
  const section = page.getByRole("region", { name: "Prices" });
  await section.getByText("Complete").waitFor();
  const last = await cells.allInnerTexts();
  await page.reload();
  await section.getByText("Complete").waitFor();
  await chart.locator("canvas").waitFor();
  expect((await cells.allInnerTexts()).filter((_, nth) => nth % 2 === 0)).toEqual(
    last.filter((_, nth) => nth % 2 === 0),
  );
  expect(await page.getByRole("button", { name: "Start a feed" }).isEnabled()).toBe(true);
  expect(complaints).toEqual([]);
});

test("[S5][E1] the page shows a job's progress, again after a reload, and its end", async () => {
  const context = await stage.browser.newContext();
  // Time enough to reload on a slow machine.
  await context.route("**/v1/jobs/demo", async (route) => {
    const plan = route.request().postDataJSON() as object;
    await route.continue({ postData: JSON.stringify({ ...plan, stepMs: 1_500 }) });
  });
  const { page, complaints } = await openConsole(context, stage.worker.origin, "topics");
  const percent = async (): Promise<number> =>
    Number(await page.getByRole("progressbar").getAttribute("value"));
  const lines = async (): Promise<readonly string[]> =>
    (await page.getByRole("list", { name: "Log" }).getByRole("listitem").allInnerTexts()).map(
      (line) => line.replace(/^.*: /, ""),
    );
  const begin = page.getByRole("button", { name: "Start a job" });
  const words = (text: string) => page.locator(".words").getByText(text);
  await begin.click();
  await page.getByText(/Step [3-8] of 8/).waitFor();
  expect(await percent()).toBeGreaterThanOrEqual(25);
  expect(await begin.isDisabled()).toBe(true);
  await page.reload();
  await page.getByText(/Step [3-8] of 8/).waitFor();
  await words("The job is complete.").waitFor();
  expect(await percent()).toBe(100);
  const told = Array.from({ length: 8 }, (_, n) => `part ${n + 1} of 8`);
  expect(await lines()).toEqual(told);
  // Who comes after the end sees the same.
  await page.reload();
  await words("The job is complete.").waitFor();
  expect(await lines()).toEqual(told);
  await page.getByLabel("that fails halfway").check();
  await begin.click();
  await words("The job failed: The demo was asked to fail.").waitFor();
  expect(complaints).toEqual([]);
});

test("[S5][E2] the job opens the field for a token when it is refused, and sends it", async () => {
  const secret = "a-secret-of-more-than-thirty-two-characters";
  const token = await sign(
    { sub: "ann", iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 600 },
    secret,
  );
  await using guarded = await startWorker({
    AUTH_SECRET: secret,
    DEFAULT_ACCESS: JSON.stringify({ can: { "topics/**": ["admin"] } }),
  });
  const { page } = await openConsole(stage.browser, guarded.origin, "topics");
  const begin = page.getByRole("button", { name: "Start a job" });
  const words = (text: string) => page.locator(".words").getByText(text);
  await begin.click();
  await page.getByLabel("Bearer token").fill(token);
  await page.keyboard.press("Escape");
  // What was refused before is opened anew.
  await page.getByRole("region", { name: "Any topic" }).getByText("Live").waitFor();
  await begin.click();
  await words("The job is complete.").waitFor();
  expect(await page.getByRole("list", { name: "Log" }).getByRole("listitem").count()).toBe(8);
  // The tab keeps it.
  await page.reload();
  await words("The job is complete.").waitFor();
  expect(await page.getByLabel("Bearer token").isVisible()).toBe(false);
  // Another tab has none, and says so.
  const other = await stage.browser.newPage();
  await other.goto(page.url());
  await other.locator(".words").getByText("This job cannot be watched.").waitFor();
});

test("[S5][E1] the address of the former page of the job leads to the topics", async () => {
  const response = await fetch(`${stage.worker.origin}/job`, { redirect: "manual" });
  expect(response.status).toBe(302);
  expect(response.headers.get("location")).toBe("/#topics");
});
