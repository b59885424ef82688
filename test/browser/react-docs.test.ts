/** The examples of docs/react.md, bundled from the built package as they stand and used in a browser. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { TopicClient } from "../support/topic-client.ts";

/** The address that people who follow the documentation see. */
const PRINTED = "http://localhost:8787";

const examples = [...readFileSync("docs/react.md", "utf8").matchAll(/```jsx\n([^]*?)```/g)].map(
  ([, code = ""]) => code,
);

let worker: RunningWorker;
let browser: Browser;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ["scripts/build-client.mjs"]);
  [worker, browser] = await Promise.all([startWorker({}), launchBrowser()]);
});

afterAll(async () => {
  await browser.close();
  await worker[Symbol.asyncDispose]();
});

/** Shows a component of an example. */
async function show(example: number, component: string, props: unknown): Promise<Page> {
  const code = (examples[example] ?? "").replaceAll(PRINTED, worker.origin);
  const built = await build({
    stdin: {
      contents: `import { createRoot } from "react-dom/client";
        ${code}
        createRoot(document.body.firstChild).render(<${component} {...${JSON.stringify(props)}} />);`,
      loader: "jsx",
      resolveDir: process.cwd(),
    },
    bundle: true,
    write: false,
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const script = built.outputFiles[0]?.text.replaceAll("</script", "<\\/script") ?? "";
  const context = await browser.newContext({ permissions: ["local-network-access"] });
  const page = await context.newPage();
  await page.route("**/page", async (route) => {
    await route.fulfill({
      contentType: "text/html; charset=utf-8",
      body: `<!doctype html><body><div></div><script type="module">${script}</script>`,
    });
  });
  await page.goto(`${worker.origin}/page`);
  return page;
}

test("[E1] the hooks' example shows prices, a room and an answer", async () => {
  const prices = new TopicClient(() => worker.origin, "prices");
  await prices.publish({ data: { symbol: "ABC", price: 12 }, event: "price" });
  const page = await show(0, "App", {});
  await page.getByText("ABC 12", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByText("ABC 13", { exact: true }).waitFor();
  await page.getByRole("button", { name: "1 here, 0 messages, 0 waiting" }).click();
  await page.getByRole("button", { name: "1 here, 1 messages, 0 waiting" }).waitFor();
  await page.getByText("idle:").click();
  await page.getByText(/^completed: [^]*Sluice/).waitFor();
  await page.close();
});

test("[E1] the example of useChat asks and shows the answer", async () => {
  const page = await show(1, "Chat", { id: "docs" });
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText(/Sluice is/).waitFor();
  await page.close();
});

test("[E1] no example is left out", () => {
  expect(examples).toHaveLength(2);
});
