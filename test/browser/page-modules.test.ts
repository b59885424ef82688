import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { serveForBrowser } from "../support/serve-for-browser.ts";

let browser: Browser;
let served: Awaited<ReturnType<typeof serveForBrowser>>;
let page: Page;

beforeAll(async () => {
  [browser, served] = await Promise.all([launchBrowser(), serveForBrowser()]);
  page = await browser.newPage();
  // The modules are served as they are written; those that import packages are put together here.
  const built = await build({
    stdin: {
      contents: `
        export { recordedFetch } from "./public/console/wire/recorded-fetch.js";
        export { records } from "./public/console/wire/records.js";
      `,
      resolveDir: ".",
    },
    bundle: true,
    format: "esm",
    write: false,
  });
  const body = built.outputFiles[0]?.text ?? "";
  await page.route("**/recording.js", (route) =>
    route.fulfill({ contentType: "text/javascript", body }),
  );
  await page.goto(served.url.href);
});
afterAll(async () => {
  await Promise.all([browser.close(), served[Symbol.asyncDispose]()]);
});

/** Runs the body of an async function in the page; a text, because these types know no DOM. */
async function run<T>(body: string): Promise<T> {
  return await page.evaluate<T>(`(async () => { ${body} })()`);
}

test.each(["\n", "\r\n", "\r"])(
  "[S2][E1] the wire shows the same events wherever their bytes are split, and passes every byte on, with line ends %j",
  async (end) => {
    const text = [
      "\u{FEFF}: a comment",
      'data: {"content":"é😴"}',
      "",
      "event: error",
      "id: 7",
      "data:one",
      "data: two",
      "data",
      "",
      // Line ends for JavaScript, but not for an event stream.
      "data: a\u2028b\u2029",
      "",
      "event: nothing",
      "",
      "retry: 5",
      "data: last: one",
      "",
      "",
    ].join(end);
    const results = await run<string[]>(`
      const { recordedFetch, records } = await import("/recording.js");
      const bytes = new TextEncoder().encode(${JSON.stringify(text)});
      const original = globalThis.fetch;
      const read = async (chunks) => {
        globalThis.fetch = async () =>
          new Response(
            new ReadableStream({
              start(controller) {
                for (const chunk of chunks) controller.enqueue(chunk);
                controller.close();
              },
            }),
            { headers: { "content-type": "text/event-stream" } },
          );
        const before = records.value.at(-1)?.n ?? 0;
        const response = await recordedFetch("/split");
        const passed = new Uint8Array(await response.arrayBuffer());
        const sent = chunks.flatMap((chunk) => [...chunk]);
        if (String(passed) !== String(sent)) return "other bytes";
        const isEnd = ({ n, kind }) => n > before && kind === "end";
        while (!records.value.some(isEnd)) await new Promise(requestAnimationFrame);
        const events = records.value.filter(({ n, direction }) => n > before && direction === "in");
        return JSON.stringify(events.map(({ kind, summary }) => ({ event: kind, data: summary })));
      };
      const results = new Set([await read([bytes]), await read([...bytes].map((byte) => Uint8Array.of(byte)))]);
      for (let at = 0; at <= bytes.length; at += 1) {
        results.add(await read([bytes.subarray(0, at), bytes.subarray(at)]));
      }
      results.add(await read([bytes, new TextEncoder().encode("data: unfinished")]));
      globalThis.fetch = original;
      return [...results];
    `);
    expect(results.map((result) => JSON.parse(result) as unknown)).toEqual([
      [
        { event: "message", data: '{"content":"é😴"}' },
        { event: "error", data: "one\ntwo\n" },
        { event: "message", data: "a\u2028b\u2029" },
        { event: "message", data: "last: one" },
      ],
    ]);
  },
);

test("[P4] an answer looks the same in whatever pieces it came", async () => {
  const text =
    "# Title\nA line\nand **another** with `code`, *em* and 2 * 3.\n\n- one\n- **two\n1. first\n10. tenth\n" +
    "```js\nconst a = `b`;\n\n- no list\n```\n\nEnd `open *x\n-";
  const results = await run<string[]>(`
    const { Prose } = await import("/console/chat/prose.js");
    const text = ${JSON.stringify(text)};
    const draw = (size) => {
      const root = document.createElement("div");
      const prose = new Prose(root);
      for (let at = 0; at < text.length; at += size) prose.append(text.slice(at, at + size));
      prose.end();
      return root.innerHTML;
    };
    return [...new Set([text.length, 1, 2, 3, 5, 7, 11].map(draw))];
  `);
  expect(results).toEqual([
    '<p class="heading">Title</p>' +
      '<p><span class="line">A line</span>' +
      '<span class="line">and <strong>another</strong> with <code>code</code>, <em>em</em> and 2 * 3.</span></p>' +
      "<ul><li>one</li><li>**two</li></ul>" +
      '<ol><li value="1">first</li><li value="10">tenth</li></ol>' +
      "<pre><span>const a = `b`;\n</span><span>\n</span><span>- no list\n</span></pre>" +
      '<p><span class="line">End `open *x</span><span class="line">-</span></p>',
  ]);
});
