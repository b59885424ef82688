/** The console for everybody: what axe-core finds, and everything with the keyboard alone. */
import axe from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { expect, test } from "vitest";
import { openConsole } from "../support/console-page.ts";
import { stageConsole } from "../support/console-stage.ts";

const stage = stageConsole();

interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly target: unknown; readonly failureSummary: string }[];
}

/** What axe-core finds, as lines. Contrast, roles, names, landmarks: all its rules. */
async function findings(page: Page): Promise<readonly string[]> {
  const { violations } = await page.evaluate<{ violations: readonly Finding[] }>(
    `${axe.source}; axe.run(document, { resultTypes: ["violations"] })`,
  );
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(
      ({ target, failureSummary }) => `${impact}: ${id} ${String(target)} ${failureSummary}`,
    ),
  );
}

/** Fills a panel with what it can show. */
const USES: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  chat: async (page) => {
    await page.getByLabel("Demo").selectOption("demo-fail-after");
    await page.getByRole("button", { name: "What is Sluice?" }).click();
    await page.getByRole("button", { name: "Try again" }).waitFor();
  },
  topics: async (page) => {
    await page.getByRole("button", { name: "Start a feed" }).click();
    await page.getByRole("table", { name: "The newest prices" }).waitFor();
    await page.getByRole("button", { name: "Start a job" }).click();
    await page.getByText(/Step [2-8] of 8/).waitFor();
    await page.getByLabel("Data", { exact: true }).fill("text");
    await page.keyboard.press("Enter");
    await page.getByRole("list", { name: "Events of news" }).getByText("text").first().waitFor();
  },
  room: async (page) => {
    await page.getByLabel("Say something").fill("Hello");
    await page.keyboard.press("Enter");
    await page.getByRole("log", { name: "Messages" }).getByText("Hello").first().waitFor();
    await page.locator(".board").hover();
    await page.locator(".pointer").waitFor();
  },
  wire: async (page) => {
    await page.getByRole("switch", { name: "Network" }).click();
    const first = page
      .getByRole("region", { name: "Frames and events" })
      .getByRole("button")
      .first();
    await first.click();
  },
};

const SIZES = { desk: { width: 1400, height: 800 }, phone: { width: 360, height: 740 } };

test.each(
  (["light", "dark"] as const).flatMap((colorScheme) =>
    (["desk", "phone"] as const).map((size) => ({ colorScheme, size })),
  ),
)("[E1] axe-core finds nothing in $colorScheme on a $size", async ({ colorScheme, size }) => {
  const context = await stage.browser.newContext({ colorScheme, viewport: SIZES[size] });
  const { page } = await openConsole(context, stage.worker.origin);
  for (const [panel, use] of Object.entries(USES)) {
    if (panel !== "wire" || size === "phone") {
      await page.getByRole("tab", { name: panel }).click();
    }
    expect([panel, await findings(page)]).toEqual([panel, []]);
    await use(page);
    expect([panel, await findings(page)]).toEqual([panel, []]);
    expect([panel, await overflow(page)]).toEqual([panel, []]);
  }
});

/** What is wider than its panel: nothing has to be scrolled sideways. */
async function overflow(page: Page): Promise<readonly string[]> {
  return await page.evaluate<readonly string[]>(`
    [document.documentElement, ...document.querySelectorAll(".panel, .scroller, .card")]
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
      .map((element) => element.className || element.tagName)
  `);
}

test("[E1] every panel can be reached and used with the keyboard alone", async () => {
  const context: BrowserContext = await stage.browser.newContext({ viewport: SIZES.phone });
  const { page, complaints } = await openConsole(context, stage.worker.origin);
  const focused = async (): Promise<string> =>
    await page.evaluate<string>(
      `document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim()`,
    );
  /** Presses Tab until something is focused; a trap or what cannot be reached fails. */
  const tabTo = async (name: string): Promise<void> => {
    const met: string[] = [];
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press("Tab");
      met.push(await focused());
      if (met.at(-1) === name) return;
    }
    throw new Error(`${name} was not met, but ${met.join(" · ")}`);
  };
  await tabTo("Chat");
  await tabTo("Access token");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("a.b.c");
  await page.keyboard.press("Escape");
  expect(await focused()).toBe("Access token");
  expect(await page.getByLabel("Bearer token").isVisible()).toBe(false);
  await tabTo("What is Sluice?");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Stop" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".answer").getByText("Stopped.").waitFor();

  await page.getByRole("tab", { name: "Chat" }).focus();
  await page.keyboard.press("ArrowRight");
  expect(await focused()).toBe("Topics");
  await page.getByRole("button", { name: "Start a job" }).waitFor();
  await tabTo("Start a job");
  await page.keyboard.press("Space");
  await page.getByText(/Step [1-8] of 8/).waitFor();

  await page.getByRole("tab", { name: "Topics" }).focus();
  await page.keyboard.press("ArrowRight");
  await tabTo("Board. The arrow keys move your pointer, which the others see.");
  await page.keyboard.press("ArrowRight");
  await page.locator(".pointer").waitFor();

  await page.getByRole("tab", { name: "Room" }).focus();
  await page.keyboard.press("End");
  expect(await focused()).toBe("Wire");
  await tabTo("Cut the network");
  await page.keyboard.press("Enter");
  await page.getByText("Network cut").waitFor();
  await tabTo("Frames and events");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("region", { name: "Frames and events" }).locator("pre").first().waitFor();
  await page.getByRole("tab", { name: "Wire" }).focus();
  await page.keyboard.press("ArrowRight");
  expect(await focused()).toBe("Chat");
  expect(complaints).toEqual([]);
});

test("[E1] who wants less motion sees none, and the colours can be chosen", async () => {
  const context = await stage.browser.newContext({ reducedMotion: "reduce", colorScheme: "light" });
  const { page } = await openConsole(context, stage.worker.origin, "room");
  await page.locator(".chip.live").first().waitFor();
  const moving = await page.evaluate(`document.getAnimations().length`);
  expect(moving).toBe(0);
  const paper = async (): Promise<string> =>
    await page.evaluate<string>(`getComputedStyle(document.body).backgroundColor`);
  const light = await paper();
  await page.getByRole("button", { name: "Dark colours" }).click();
  const dark = await paper();
  expect(dark).not.toBe(light);
  await page.reload();
  await page.getByRole("button", { name: "Light colours" }).waitFor();
  expect(await paper()).toBe(dark);
});
