/**
 * Owns what tests of pages with the client stand on: a browser, the Worker, its scripted provider and a page to
 * open. Refuses to know what the pages do.
 */
import type { Browser } from "playwright-core";
import { launchBrowser } from "./browser.ts";
import { bundlePage, type OpenPage } from "./client-page.ts";
import { type ScriptedUpstream, startUpstream } from "./scripted-upstream.ts";
import { type RunningWorker, startWorker } from "./start-worker.ts";

/** All of it; it goes with its scope. */
export interface TabsStage<Launched = Browser> extends AsyncDisposable {
  readonly browser: Launched;
  readonly worker: RunningWorker;
  readonly upstream: ScriptedUpstream;
  /** Opens the page, whose script is `test/browser/tabs-page.js`. */
  readonly open: OpenPage;
  /** The messages of a room, as the server has them. */
  messages(room: string): Promise<unknown[]>;
  /** A room's figures. */
  roomStats(room: string): Promise<Readonly<Record<string, number>>>;
}

/** Sets the stage. */
export function openTabsStage(): Promise<TabsStage>;
/** Sets the stage with another browser. */
export function openTabsStage<Launched extends AsyncDisposable>(
  launch: () => Promise<Launched>,
): Promise<TabsStage<Launched>>;
export async function openTabsStage(
  launch: () => Promise<AsyncDisposable> = launchBrowser,
): Promise<TabsStage<AsyncDisposable>> {
  const upstream = await startUpstream();
  const [browser, worker, open] = await Promise.all([
    launch(),
    startWorker({
      KEEPALIVE_MS: "200",
      OPENAI_BASE_URL: upstream.baseURL,
      OPENAI_MODEL: "test-model",
    }),
    bundlePage("test/browser/tabs-page.js"),
  ]);
  const ask = async (path: string): Promise<unknown> =>
    await (await fetch(`${worker.origin}/v1/rooms/${path}`)).json();
  return {
    browser,
    worker,
    upstream,
    open,
    async messages(room) {
      const page = (await ask(`${room}/messages`)) as {
        readonly messages: readonly { readonly payload: unknown }[];
      };
      return page.messages.map(({ payload }) => payload);
    },
    async roomStats(room) {
      return (await ask(`${room}/stats`)) as Record<string, number>;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([browser[Symbol.asyncDispose](), worker[Symbol.asyncDispose]()]);
      await upstream[Symbol.asyncDispose]();
    },
  };
}
