/** The package as pages load it: module by module, in parts, in one file; and where its later parts are missing. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { leaderOf } from "../support/tabs.ts";
import { TopicClient } from "../support/topic-client.ts";
import { until } from "../support/until.ts";

let browser: Browser;
let worker: RunningWorker;
/** A folder of its own: the package, and what a bundler makes of it. */
let folder: string;

beforeAll(async () => {
  [browser, worker] = await Promise.all([launchBrowser(), startWorker({})]);
  folder = await mkdtemp(join(tmpdir(), "sluice-package-"));
  await promisify(execFile)(process.execPath, ["scripts/build-client.mjs", join(folder, "sluice")]);
  await build({
    entryPoints: { main: join(folder, "sluice/client/index.js") },
    bundle: true,
    splitting: true,
    format: "esm",
    outdir: join(folder, "parts"),
    nodePaths: ["node_modules"],
  });
});
afterAll(async () => {
  await Promise.all([browser.close(), worker[Symbol.asyncDispose]()]);
  await rm(folder, { recursive: true });
});

/** Where modules are that are not bundled, for a browser. */
const IMPORT_MAP = JSON.stringify({
  imports: {
    "@msgpack/msgpack": "/packages/@msgpack/msgpack/dist.esm/index.mjs",
    "eventsource-parser": "/packages/eventsource-parser/dist/index.js",
  },
});

const FORMS = {
  "module by module": "/sluice/client/index.js",
  "in parts": "/parts/main.js",
  "in one file": "/sluice/client/bundle.min.js",
};

/** Opens a page of the Worker's origin that has the client from some address. */
async function open(
  context: BrowserContext,
  from: string,
  isMissing: (path: string) => boolean = () => false,
): Promise<{ readonly page: Page; readonly loaded: readonly string[] }> {
  const page = await context.newPage();
  const loaded: string[] = [];
  await page.route("**/{page,packages/**,sluice/**,parts/**}", async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === "/page") {
      const body = `<!doctype html><script type="importmap">${IMPORT_MAP}</script>
        <script type="module">
          import { createClient } from "${from}";
          const topic = createClient({ url: location.origin }).topic("forms");
          globalThis.seen = { topic, items: [] };
          topic.subscribe(({ data }) => { seen.items.push(data); });
        </script>`;
      await route.fulfill({ contentType: "text/html", body });
      return;
    }
    if (isMissing(pathname)) {
      await route.fulfill({ status: 404 });
      return;
    }
    loaded.push(pathname);
    const file = pathname.startsWith("/packages/")
      ? join("node_modules", pathname.slice("/packages/".length))
      : join(folder, pathname);
    await route.fulfill({ contentType: "text/javascript", body: await readFile(file) });
  });
  await page.goto(`${worker.origin}/page`);
  return { page, loaded };
}

const items = async (page: Page): Promise<unknown[]> => await page.evaluate("seen.items");
const topic = (): TopicClient => new TopicClient(() => worker.origin, "forms");

test.each(Object.entries(FORMS))(
  "[S7][E1] two pages that have the package %s share a connection",
  async (_, from) => {
    await topic().publish({ data: from });
    const context = await browser.newContext();
    const tabs = [await open(context, from), await open(context, from)].map(({ page }) => page);
    await leaderOf(tabs, "topic");
    for (const tab of tabs) {
      await until("it to be there", async () => (await items(tab)).includes(from));
    }
    await until("one connection", async () => (await topic().stats())["connections"] === 1);
    await context.close();
  },
);

test("[S7][E1] what a page does not share by is not loaded; without the part that shares, it reads alone", async () => {
  await topic().publish({ data: "alone" });
  const context = await browser.newContext();
  const whole = await open(context, FORMS["module by module"]);
  await until("it to be there", async () => (await items(whole.page)).includes("alone"));
  const shares = whole.loaded.filter((path) => path.includes("/tabs/"));
  expect(shares.some((path) => path.endsWith("/topics.js"))).toBe(true);
  expect(shares.some((path) => path.includes("room"))).toBe(false);
  const { page } = await open(context, FORMS["module by module"], (path) =>
    path.endsWith("/tabs/topics.js"),
  );
  await until("it to be there", async () => (await items(page)).includes("alone"));
  expect(await page.evaluate("seen.topic.state.get().tab ?? null")).toBeNull();
  await context.close();
});
