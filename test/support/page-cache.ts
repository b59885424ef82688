/**
 * Owns what a browser does with pages that nobody looks at: they are left and kept, and frozen. Refuses to know
 * what the pages do.
 */
import type { Page } from "playwright-core";
import { launchLivelyBrowser, type LivelyBrowser } from "./browser.ts";
import { note } from "./note.ts";
import { until } from "./until.ts";

/** Brings a page back. */
export type ComeBack = () => Promise<void>;

/** A browser whose pages can be away for a while. */
export interface CachingBrowser extends LivelyBrowser {
  /** Goes elsewhere in a page's tab. Its script must record in `shows` whether each `pageshow` is of a kept page. */
  leave(page: Page, elsewhere: string): Promise<ComeBack>;
}

/** Starts it. Where no page is ever kept, leaving is played: the page is told what it would be told, and frozen. */
export async function launchCachingBrowser(): Promise<CachingBrowser> {
  const lively = await launchLivelyBrowser();
  if (!lively.keepsPages) {
    note("No whole Chromium is installed (CHROME_BIN): leaving a page and coming back is played.");
  }
  return { ...lively, leave: lively.keepsPages ? leaveForGood : playLeaving };
}

async function leaveForGood(page: Page, elsewhere: string): Promise<ComeBack> {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.enable");
  let reasons: unknown;
  session.on("Page.backForwardCacheNotUsed", ({ notRestoredExplanations }) => {
    reasons = notRestoredExplanations.map(({ reason }) => reason);
  });
  await page.goto(elsewhere);
  return async () => {
    // Not at once: the call would be answered by a page that is gone.
    await page.evaluate("setTimeout(() => history.back()); undefined");
    await until(
      "the page to be shown as it was left",
      async () => {
        // Between two pages, nobody answers.
        return await page.evaluate<boolean>("globalThis.shows?.at(-1) === true").catch(() => false);
      },
      () => reasons,
    );
    await session.detach();
  };
}

async function playLeaving(page: Page): Promise<ComeBack> {
  await page.evaluate(`dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`);
  const thaw = await freeze(page);
  return async () => {
    await thaw();
    await page.evaluate(`dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`);
  };
}

/** Freezes a page, as browsers do with one that nobody has looked at for long. */
export async function freeze(page: Page): Promise<ComeBack> {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.enable");
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  return async () => {
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await session.detach();
  };
}
