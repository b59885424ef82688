/** Owns the browser of the tests. Refuses to know any page. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, join } from "node:path";
import {
  type Browser,
  type BrowserContext,
  chromium as playwright,
  type LaunchOptions,
} from "playwright-core";
import { packagedBrowser } from "./unpack-browser.ts";

/**
 * What the packaged browser needs to run as root in a container and without a graphics card, which it would play at
 * the cost of half of all it computes. Its own list of arguments is for a serverless function, and would switch off
 * the very protections (`--disable-web-security`) that a test of a page must meet.
 */
const ARGS = ["--no-sandbox", "--disable-gpu"];

/** Whole browsers, as they are called where people have them installed. */
const WHOLE = ["google-chrome-stable", "google-chrome", "chromium"];

/** Starts a headless Chromium that comes from npm alone. */
export async function launchBrowser(): Promise<Browser> {
  return await launch({ executablePath: packagedBrowser(), args: ARGS });
}

/** A browser whose pages may be hidden, left and frozen as people's are. */
export interface LivelyBrowser extends AsyncDisposable {
  readonly context: BrowserContext;
  /** Whether it keeps pages that are left, to show them again as they were: the packaged one has no such cache. */
  readonly keepsPages: boolean;
}

/** Starts a whole Chromium if one is installed (`CHROME_BIN` may name it), and the packaged one otherwise. */
export async function launchLivelyBrowser(): Promise<LivelyBrowser> {
  const whole = findWholeBrowser();
  const port = await findFreePort();
  const browser = await launch({
    executablePath: whole ?? packagedBrowser(),
    args: [...(whole === undefined ? ARGS : ["--no-sandbox"]), `--remote-debugging-port=${port}`],
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  // In contexts that playwright makes, pages are told that they are looked at, whatever happens.
  const plain = await playwright.connectOverCDP(`http://127.0.0.1:${port}`, { noDefaults: true });
  const [context] = plain.contexts();
  if (context === undefined) throw new Error("The browser has no context.");
  return {
    context,
    keepsPages: whole !== undefined,
    async [Symbol.asyncDispose]() {
      await plain.close();
      await browser.close();
    },
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function findWholeBrowser(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const named = process.env["CHROME_BIN"];
  const installed = WHOLE.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...(named === undefined ? [] : [named]), ...installed].find(existsSync);
}

async function launch(options: LaunchOptions): Promise<Browser> {
  return await playwright.launch({
    ...options,
    headless: true,
    // Without a locale the browser reports one that is none (`en-US@posix`).
    env: { ...process.env, LANG: "en_US.UTF-8", LC_ALL: "en_US.UTF-8" },
  });
}
