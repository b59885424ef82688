/** The client in a real browser while the objects that it is connected to sleep between messages (I1). */
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { type Pages, servePages } from "../support/serve-pages.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";

const SLEEPS = 3;

let worker: RunningWorker;
let browser: Browser;
let pages: Pages;

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createClient } from "./src/client/index.ts"; globalThis.createClient = createClient;`,
      resolveDir: ".",
    },
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
  });
  const script = outputFiles[0]?.text.replaceAll("</script", "<\\/script") ?? "";
  pages = await servePages(() => `<!doctype html><script type="module">${script}</script>`);
  [worker, browser] = await Promise.all([startWorker({}), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await pages[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
});

test("[I1][W1][W2] a room that sleeps between messages: its members stay connected, and hear each one once", async () => {
  const [ann, bob] = await Promise.all(["ann", "bob"].map((name) => join("nap", name)));
  if (ann === undefined || bob === undefined) throw new Error("Somebody is missing.");
  const wakes = await statOf("rooms/nap", "wakes");
  for (let round = 1; round <= SLEEPS; round += 1) {
    await worker.putToSleep("RoomObject", "nap");
    await ann.evaluate(`room.publish("said", "ann ${round}")`);
    await worker.putToSleep("RoomObject", "nap");
    await bob.evaluate(`room.publish("said", "bob ${round}")`);
    for (const page of [ann, bob]) {
      await until("both to hear both", async () => (await lengthOf(page)) === 2 * round);
    }
  }
  const said = Array.from({ length: SLEEPS }, (_, n) => [`ann ${n + 1}`, `bob ${n + 1}`]).flat();
  for (const page of [ann, bob]) {
    expect(await page.evaluate("heard")).toEqual(said);
    expect(await page.evaluate("states")).toEqual(["connecting", "live"]);
    expect(await page.evaluate("room.presence.get().count")).toBe(2);
  }
  expect((await statOf("rooms/nap", "wakes")) - wakes).toBeGreaterThanOrEqual(2 * SLEEPS);
  await Promise.all([ann.context().close(), bob.context().close()]);
});

test("[I1][S3] a topic that sleeps between events: its readers stay connected, and get each one once", async () => {
  const page = await open();
  await page.evaluate(`{
    ${WATCH}
    globalThis.topic = createClient({ url: "${worker.origin}" }).topic("nap", { from: "now" });
    watch(topic, ({ data }) => data);
  }`);
  await until("the reader to be connected", async () =>
    (await page.evaluate<string[]>("states")).includes("live"),
  );
  for (let round = 1; round <= SLEEPS; round += 1) {
    await worker.putToSleep("TopicObject", "nap");
    await page.evaluate(`topic.publish("tick", ${round})`);
    await until("it to arrive", async () => (await lengthOf(page)) === round);
  }
  expect(await page.evaluate("heard")).toEqual(Array.from({ length: SLEEPS }, (_, n) => n + 1));
  expect(await page.evaluate("states")).toEqual(["connecting", "live"]);
  await page.context().close();
});

/** Keeps what comes, and every state of the connection. */
const WATCH = `
  globalThis.heard = [];
  globalThis.states = [];
  const watch = (log, read) => {
    log.state.onChange(() => states.push(log.state.get().kind));
    log.subscribe((item) => heard.push(read(item)));
  };`;

async function open(): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(pages.origin);
  await page.waitForFunction("globalThis.createClient !== undefined");
  return page;
}

async function join(room: string, member: string): Promise<Page> {
  const page = await open();
  await page.evaluate(`{
    ${WATCH}
    globalThis.room = createClient({ url: "${worker.origin}" }).room("${room}", { member: "${member}" });
    watch(room, ({ payload }) => payload);
    room.join();
  }`);
  return page;
}

async function lengthOf(page: Page): Promise<number> {
  return await page.evaluate<number>("heard.length");
}

async function statOf(path: string, name: string): Promise<number> {
  const stats = (await (await fetch(`${worker.origin}/v1/${path}/stats`)).json()) as Record<
    string,
    number
  >;
  return Number(stats[name]);
}
