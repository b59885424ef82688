/** The examples that are pages, opened in a real browser from an address of their own. */
import { readFile } from "node:fs/promises";
import { join, normalize } from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { openProject, type Project } from "../support/open-project.ts";
import { servePages } from "../support/serve-pages.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";

let browser: Browser;
let worker: RunningWorker;
let project: Project;

beforeAll(async () => {
  [browser, worker] = await Promise.all([launchBrowser(), startWorker({})]);
  project = await openProject(worker.origin);
});

afterAll(async () => {
  await Promise.all([browser.close(), worker[Symbol.asyncDispose]()]);
  await project[Symbol.asyncDispose]();
});

test.each(["event-source.html", "vue.html"])(
  "[E1][S1] examples/%s lists what was published, and what is",
  async (name) => {
    await using shown = await open(name);
    const orders = [`${name} tea`, `${name} milk`];
    const own = async (): Promise<readonly string[]> =>
      (await shown.texts("li")).flatMap((text) => orders.filter((order) => text.includes(order)));
    for (const [index, data] of orders.entries()) {
      await call("/v1/topics/orders", { data });
      await until("the order to be shown", async () => (await own()).length === index + 1);
    }
    await shown.page.reload();
    await until("all orders to be shown again", async () => (await own()).length === orders.length);
    expect(await own()).toEqual(orders);
    expect(shown.errors).toEqual([]);
  },
);

test("[E1][W1] examples/react.jsx shows a room's messages, each once, in React's strict mode", async () => {
  await call("/v1/rooms/lobby/messages", { event: "chat", payload: { text: "before" } });
  const main =
    `import { StrictMode } from "react"; import { createRoot } from "react-dom/client";` +
    `import { Lobby } from "./react.jsx";` +
    `createRoot(document.body).render(<StrictMode><Lobby /></StrictMode>);`;
  const { outputFiles } = await build({
    stdin: { contents: main, loader: "jsx", resolveDir: project.path },
    bundle: true,
    write: false,
    format: "esm",
    jsx: "automatic",
    nodePaths: ["node_modules"],
    define: { "process.env.NODE_ENV": '"development"' },
  });
  const script = outputFiles[0]?.text.replaceAll("</script", "<\\/script") ?? "";
  const html = `<!doctype html><body><script type="module">${script}</script></body>`;
  await using shown = await open("react.html", html);
  await until("history to be shown", async () => (await shown.texts("p")).length === 1);
  await call("/v1/rooms/lobby/messages", { event: "chat", payload: { text: "now" } });
  await until("a new message to be shown", async () => (await shown.texts("p")).length === 2);
  expect(await shown.texts("p")).toEqual(["before", "now"]);
  expect(shown.errors).toEqual([]);
});

/** What a reader of an example sees. */
interface Shown extends AsyncDisposable {
  readonly page: Page;
  readonly errors: readonly string[];
  texts(selector: string): Promise<readonly string[]>;
}

/** Opens a page of the project, or this one. */
async function open(name: string, html?: string): Promise<Shown> {
  const pages = await servePages((path) =>
    html !== undefined && path === `/${name}`
      ? html
      : readFile(join(project.path, normalize(path)), "utf8"),
  );
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  await page.goto(`${pages.origin}/${name}`);
  return {
    page,
    errors,
    texts: async (selector) => await page.locator(selector).allTextContents(),
    async [Symbol.asyncDispose]() {
      await page.close();
      await pages[Symbol.asyncDispose]();
    },
  };
}

async function call(path: string, body: unknown): Promise<void> {
  const response = await fetch(worker.origin + path, {
    method: "POST",
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(201);
}
