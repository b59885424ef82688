/** Owns what the console's tests share: one browser and one Worker a file, and no window that outlives its test. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll } from "vitest";
import { launchBrowser } from "./browser.ts";
import { type RunningWorker, startWorker } from "./start-worker.ts";

/** To be read within a test. */
export interface ConsoleStage {
  readonly browser: Browser;
  readonly worker: RunningWorker;
}

/**
 * Starts a browser and a Worker before the tests of the file, and stops them afterwards.
 *
 * @param vars the Worker's variables, or what makes them.
 */
export function stageConsole(
  vars: () => Promise<Readonly<Record<string, string>>> = async () => await Promise.resolve({}),
): ConsoleStage {
  let stage: ConsoleStage | undefined;
  beforeAll(async () => {
    const [browser, worker] = await Promise.all([launchBrowser(), vars().then(startWorker)]);
    stage = { browser, worker };
  });
  // A window that is left open goes on drawing, and slows down all that come later.
  afterEach(async () => {
    await Promise.all((stage?.browser.contexts() ?? []).map((context) => context.close()));
  });
  afterAll(async () => {
    await stage?.browser.close();
    await stage?.worker[Symbol.asyncDispose]();
  });
  const staged = (): ConsoleStage => {
    if (stage === undefined) throw new Error("The stage is not set yet.");
    return stage;
  };
  return {
    get browser() {
      return staged().browser;
    },
    get worker() {
      return staged().worker;
    },
  };
}
