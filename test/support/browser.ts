/** Owns the browser of the tests. Refuses to know any page. */
import chromium from "@sparticuz/chromium";
import { type Browser, chromium as playwright } from "playwright-core";

/**
 * What the packaged browser needs to run as root in a container and without a graphics card. Its own
 * list of arguments is for a serverless function, and would switch off the very protections
 * (`--disable-web-security`) that a test of a page must meet.
 */
const ARGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"];

/** Starts a headless Chromium that comes from npm alone. */
export async function launchBrowser(): Promise<Browser> {
  return await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: ARGS,
    headless: true,
    // Without a locale the browser reports one that is none (`en-US@posix`).
    env: { ...process.env, LANG: "en_US.UTF-8", LC_ALL: "en_US.UTF-8" },
  });
}
