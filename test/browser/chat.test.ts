import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { launchBrowser } from "../support/browser.ts";
import { serveForBrowser } from "../support/serve-for-browser.ts";

/** A slow machine may take its time; what is waited for is a condition, not this. */
const PATIENCE = { timeout: 15_000, interval: 50 };

let browser: Browser;
let served: Awaited<ReturnType<typeof serveForBrowser>>;
let page: Page;
/** Everything the browser complained about, a breach of the content security policy included. */
let complaints: string[];

beforeAll(async () => {
  [browser, served] = await Promise.all([launchBrowser(), serveForBrowser()]);
});
afterAll(async () => {
  await Promise.all([browser.close(), served[Symbol.asyncDispose]()]);
});
beforeEach(async () => {
  page = await open();
});
afterEach(async () => {
  await page.close();
});

/** Opens the page and waits until it knows what kind of server this is. */
async function open(options: Parameters<Browser["newPage"]>[0] = {}): Promise<Page> {
  const opened = await browser.newPage({ viewport: { width: 1000, height: 700 }, ...options });
  complaints = [];
  opened.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  opened.on("pageerror", (error) => complaints.push(String(error)));
  await opened.goto(served.url.href);
  await opened.getByLabel("Demo").waitFor();
  return opened;
}

const sendButton = () => page.getByRole("button", { name: "Send" });
const stopButton = () => page.getByRole("button", { name: "Stop" });
const answer = () => page.locator(".answer").last();
const answerText = () => answer().locator(".prose").innerText();

async function ask(question: string, scenario = ""): Promise<void> {
  await page.getByLabel("Demo").selectOption(scenario);
  await page.getByLabel("Message").fill(question);
  await sendButton().click();
}

/** What the page says about itself; a text, because these types know no `document`. */
async function inPage<T>(expression: string): Promise<T> {
  return await page.evaluate<T>(expression);
}

/** Reading an event stream of this answer, as the OpenAI format has it. */
const streamOf = (id: string, ...events: readonly object[]): string =>
  events.map((event, at) => `id: ${id}_${at}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`).join("");
const piece = (content: string, finish: string | null = null): object => ({
  choices: [{ index: 0, delta: { content }, finish_reason: finish }],
});

const ROOT = "document.documentElement";
const SCROLLER = `document.querySelector(".chat .scroller")`;
const fitsAcross = () =>
  inPage<boolean>(
    `[${ROOT}, ${SCROLLER}].every(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)`,
  );
const pageHeight = () => inPage<number>(`${SCROLLER}.scrollHeight`);
const scrolled = () => inPage<number>(`${SCROLLER}.scrollTop`);

describe("the page", () => {
  test("[E1][E2] loads without an error and within a strict content security policy", async () => {
    const response = await page.reload();
    const policy = response?.headers()["content-security-policy"] ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(await page.title()).toBe("Sluice");
    await page.getByRole("heading", { name: "What would you like to know?" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("[E1][L2] tokens appear as they come, and the answer finishes", async () => {
    await page.getByRole("button", { name: "What is Sluice?" }).click();
    await sendButton().waitFor();
    expect(await answer().getAttribute("aria-busy")).toBeNull();
    expect(await answerText()).toMatch(/^Demo answer.*from where you were\.$/s);
    expect(await answer().locator("li").count()).toBe(3);
    expect(await page.getByRole("status").innerText()).toBe("The answer is complete.");
    // Of an answer without an end, whatever is seen is seen before it.
    await ask("Count", "demo-endless");
    await answer().getByText("I count until you stop me: 1, 2").waitFor();
    expect(await answer().getAttribute("aria-busy")).toBe("true");
    const before = await answerText();
    await expect.poll(answerText, PATIENCE).not.toBe(before);
    expect(await answerText()).toContain(before);
    expect(await answer().getAttribute("aria-busy")).toBe("true");
    await stopButton().click();
    await sendButton().waitFor();
    expect(complaints).toEqual([]);
  });

  test("[E1] the conversation so far goes with each question", async () => {
    await ask("What is Sluice?");
    await sendButton().waitFor();
    const request = page.waitForRequest("**/v1/chat/completions");
    await ask("And a room?");
    const { messages } = (await request).postDataJSON() as { messages: { role: string }[] };
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  });

  test("[L3] Stop ends an endless answer and leaves its text", async () => {
    await ask("Count", "demo-endless");
    await answer().getByText("I count until you stop me: 1, 2").waitFor();
    const cancelled = page.waitForResponse("**/cancel");
    await stopButton().click();
    await sendButton().waitFor();
    expect((await cancelled).status()).toBe(200);
    await answer().getByText("Stopped.").waitFor();
    const text = await answerText();
    expect(text).toContain("I count until you stop me: 1, 2");
    // It stays as it is: another answer could not even begin if this one went on.
    await ask("What is Sluice?");
    await sendButton().waitFor();
    expect(await page.locator(".answer").first().locator(".prose").innerText()).toBe(text);
  });

  test.each([
    ["demo-fail-before", "upstream_unavailable", /^$/],
    ["demo-fail-after", "upstream_unavailable", /^Demo answer/],
    ["demo-truncated", "upstream_truncated", /^Demo answer/],
  ])("[L5] %s is shown as an error with its code", async (scenario, code, text) => {
    await ask("What is Sluice?", scenario);
    const error = answer().locator(".error");
    await error.waitFor();
    expect(await error.locator("code").innerText()).toBe(code);
    expect(await answerText()).toMatch(text);
    await sendButton().waitFor();

    await page.getByLabel("Demo").selectOption("");
    await error.getByRole("button", { name: "Try again" }).click();
    await stopButton().waitFor();
    await sendButton().waitFor();
    expect(await page.locator(".answer").count()).toBe(1);
    expect(await answerText()).toMatch(/from where you were\.$/);
  });

  test("[L5][L4] a connection that ends without a word is read on, once and to the end", async () => {
    let asked = 0;
    await page.route("**/v1/chat/completions", (route) => {
      asked += 1;
      return route.fulfill({
        headers: { "content-type": "text/event-stream", "sluice-generation": "gen_cut" },
        body: streamOf("a", piece("Half")),
      });
    });
    const positions: (string | undefined)[] = [];
    await page.route("**/v1/chat/completions/gen_cut/events", (route) => {
      positions.push(route.request().headers()["last-event-id"]);
      return route.fulfill({
        contentType: "text/event-stream",
        body: `${streamOf("b", piece(" and half", "stop"))}id: b_1\ndata: [DONE]\n\n`,
      });
    });
    await ask("x");
    await page.getByText("The answer is complete.").waitFor({ state: "attached" });
    expect(await answerText()).toBe("Half and half");
    expect(asked).toBe(1);
    expect(positions).toEqual(["a_0"]);
  });

  test("[E2] a refused token opens the field for one, which is then sent", async () => {
    let authorization: string | undefined;
    await page.route("**/v1/chat/completions", (route) => {
      authorization = route.request().headers()["authorization"];
      return authorization === undefined
        ? route.fulfill({ status: 401, json: { code: "unauthorized", detail: "No token." } })
        : route.fulfill({
            contentType: "text/event-stream",
            body: `${streamOf("c", piece("Yes", "stop"))}id: c_1\ndata: [DONE]\n\n`,
          });
    });
    await ask("x");
    await answer().getByText("unauthorized").waitFor();
    await page.getByLabel("Bearer token").fill("a.b.c");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("The answer is complete.").waitFor({ state: "attached" });
    expect(authorization).toBe("Bearer a.b.c");
    await page.reload();
    await page.getByLabel("Access token").click();
    expect(await page.getByLabel("Bearer token").inputValue()).toBe("a.b.c");
  });

  test("[E2] a model's HTML and split signs are shown as the text they are", async () => {
    const content =
      '<img src=x onerror="document.title=1"> **bold** `<b>` é😴\n```\n<i>\n```\n- one';
    await page.route("**/v1/chat/completions", (route) =>
      route.fulfill({
        contentType: "text/event-stream",
        body: `: hello\r\n\r\n${streamOf("d", piece(content, "stop"))}id: d_1\ndata: [DONE]\n\n`,
      }),
    );
    await ask("x");
    await page.getByText("The answer is complete.").waitFor({ state: "attached" });
    expect(await answer().locator("img, b, i, script").count()).toBe(0);
    expect(await answer().locator(".line").innerText()).toBe(
      '<img src=x onerror="document.title=1"> bold <b> é😴',
    );
    expect(await answer().locator("pre").innerText()).toBe("<i>\n");
    expect(await answer().locator(".prose li").innerText()).toBe("one");
    expect(await page.title()).toBe("Sluice");
  });

  test("[E1] everything works with the keyboard alone", async () => {
    await page.getByLabel("Message").focus();
    await page.keyboard.type("Why does a room");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("sleep?");
    await page.keyboard.press("Enter");
    await stopButton().waitFor();
    expect(await page.locator(".question").locator("p").innerText()).toBe(
      "Why does a room\nsleep?",
    );
    await page.keyboard.press("Tab");
    expect(await inPage("document.activeElement.textContent")).toBe("Stop");
    await page.keyboard.press("Enter");
    await sendButton().waitFor();
    await answer().getByText("Stopped.").waitFor();
  });

  test("[E1] an answer that grows leaves a reader further up alone", async () => {
    await ask("x", "demo-long");
    await expect.poll(pageHeight, PATIENCE).toBeGreaterThan(2_000);
    await page.mouse.move(400, 300);
    // Turned until the top is reached: a page that grows may cut a single turn short.
    const turn = async (): Promise<unknown> => {
      await page.mouse.wheel(0, -100_000);
      return await scrolled();
    };
    await expect.poll(turn, PATIENCE).toBe(0);
    const before = await pageHeight();
    await expect.poll(pageHeight, PATIENCE).toBeGreaterThan(before + 200);
    expect(await scrolled()).toBe(0);
    await stopButton().click();
  });

  test("[E1] fits a phone: nothing to scroll sideways, and the composer stays in view", async () => {
    await page.close();
    page = await open({ viewport: { width: 360, height: 640 } });
    expect(await fitsAcross()).toBe(true);
    await ask(`What is Sluice? ${"x".repeat(200)}`);
    await stopButton().waitFor();
    await sendButton().waitFor();
    expect(await fitsAcross()).toBe(true);
    const box = await sendButton().boundingBox();
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(640);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(360);
  });

  test("[E1] the dark is dark, and text is legible in both", async () => {
    await page.close();
    const contrasts: Record<string, number> = {};
    const papers: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      page = await open({ colorScheme });
      const colorOf = (selector: string, property: string) =>
        inPage<string>(`getComputedStyle(document.querySelector("${selector}")).${property}`);
      const paper = await colorOf("body", "backgroundColor");
      const ink = await colorOf("body", "color");
      const soft = await colorOf(".welcome p", "color");
      papers.push(paper);
      contrasts[`${colorScheme} ink`] = contrast(ink, paper);
      contrasts[`${colorScheme} soft`] = contrast(soft, paper);
      if (colorScheme === "light") await page.close();
    }
    expect(new Set(papers).size).toBe(2);
    // WCAG 2.2, level AA.
    for (const ratio of Object.values(contrasts)) expect(ratio).toBeGreaterThan(4.5);
  });
});

/** The contrast ratio of two `rgb(…)` colours (WCAG 2.2). */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
