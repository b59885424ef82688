/** Owns several tabs of one browser as tests see them: who is connected, who leads. Refuses to know what is read. */
import type { BrowserContext, CDPSession, Page, Request } from "playwright-core";
import type { OpenPage } from "./client-page.ts";
import { until } from "./until.ts";

/** Opens so many pages of one origin in one browser. */
export async function openTabs(
  open: OpenPage,
  context: BrowserContext,
  { address, count = 3 }: { readonly address: string; readonly count?: number },
): Promise<Page[]> {
  const tabs: Page[] = [];
  for (let n = 0; n < count; n += 1) tabs.push(await open(context, address));
  return tabs;
}

/** Waits until what an expression gives in each tab is exactly this. */
export async function allHave(
  tabs: readonly Page[],
  expression: string,
  value: unknown,
): Promise<void> {
  const wanted = JSON.stringify(value);
  let seen: string[] = [];
  await until(
    `${expression} to be ${wanted} in all tabs`,
    async () => {
      seen = await Promise.all(
        tabs.map(async (tab) => await tab.evaluate<string>(`JSON.stringify(${expression})`)),
      );
      return seen.every((one) => one === wanted);
    },
    () => seen,
  );
}

/** The numbers from 0 on. */
export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

/** Port of this machine at which nobody listens. */
export const NO_PORT = 1;

/** The tab whose connection something that it has opened is: `seen.<what>`. */
export async function leaderOf(tabs: readonly Page[], what: string): Promise<Page> {
  let leaders: readonly Page[] = [];
  await until("one tab to lead", async () => {
    const whose = await Promise.all(
      tabs.map(async (tab) => await tab.evaluate<string>(`seen.${what}.state.get().tab`)),
    );
    leaders = tabs.filter((_, index) => whose[index] === "this");
    return leaders.length === 1 && whose.every((one) => one !== undefined);
  });
  const [leader] = leaders;
  if (leader === undefined) throw new Error("No tab leads.");
  return leader;
}

/** Counts the requests of all tabs of a browser whose address fits and that are not over. */
export function countOpen(context: BrowserContext, fits: RegExp): () => number {
  const open = new Set<Request>();
  context.on("request", (request) => {
    if (fits.test(request.url())) open.add(request);
  });
  const close = (request: Request): void => {
    open.delete(request);
  };
  context.on("requestfinished", close);
  context.on("requestfailed", close);
  context.on("page", (page) => {
    page.on("close", () => {
      for (const request of open) if (request.frame().page() === page) open.delete(request);
    });
  });
  return () => open.size;
}

/**
 * Holds a page up in the middle of its script, as one does that computes for too long; the returned function
 * lets it go on.
 */
export async function hang(page: Page): Promise<() => Promise<void>> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await page.route("**/hang", async (route) => {
    asked.resolve();
    await promise;
    await route.fulfill({ body: "" });
  });
  const held = page.evaluate(`{
    const request = new XMLHttpRequest();
    request.open("GET", "/hang", false);
    request.send();
  }`);
  await asked.promise;
  return async () => {
    resolve();
    await held;
  };
}

/** Kills the process that shows a page, as a crash does. */
export async function crash(context: BrowserContext, page: Page): Promise<void> {
  const session: CDPSession = await context.newCDPSession(page);
  const crashed = page.waitForEvent("crash");
  // Nobody is left to answer.
  session.send("Page.crash").catch(() => {});
  await crashed;
}
