/** Owns the console in a browser of tests: opened, watched for complaints, its panels found. */
import type { Browser, BrowserContext, Page } from "playwright-core";

/** The console in a tab. */
export interface ConsolePage {
  readonly page: Page;
  /** Everything the browser complained about, a breach of the content security policy included. */
  readonly complaints: readonly string[];
}

/**
 * Opens the console.
 *
 * @param place the part of its address after the `#`
 */
export async function openConsole(
  browser: Browser | BrowserContext,
  origin: string,
  place = "chat",
): Promise<ConsolePage> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${origin}/#${place}`);
  await page.getByRole("tablist").waitFor();
  return { page, complaints };
}
