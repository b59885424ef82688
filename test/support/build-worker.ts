/**
 * Owns the Worker that end-to-end tests run: bundled and configured by wrangler, as for a deployment, with the
 * page that it serves, once for each state of the sources and before any test wants it. Refuses to know how it is run.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { inject } from "vitest";
import type { TestProject } from "vitest/node";
import type { SourcelessWorkerOptions } from "wrangler";

const CACHE = "node_modules/.cache/sluice-worker";
const SOURCES = [
  "src/**/*.ts",
  "durable-objects/**/*.ts",
  "wrangler.toml",
  "package-lock.json",
  "test/support/build-worker.ts",
];
const SCRIPT = "index.js";
const OPTIONS = "miniflare-options.json";

/** A Worker ready to be run. */
interface BuiltWorker {
  /** The text of the bundle. */
  readonly script: string;
  /** What wrangler.toml says, in Miniflare's words, but for variables. */
  readonly options: SourcelessWorkerOptions;
}

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of what was built. */
    readonly builtWorker: string;
  }
}

/** What was built for the project of the test that asks. */
export async function readWorker(): Promise<BuiltWorker> {
  const folder = inject("builtWorker");
  return {
    script: await readFile(`${folder}/${SCRIPT}`, "utf8"),
    options: JSON.parse(await readFile(`${folder}/${OPTIONS}`, "utf8")) as SourcelessWorkerOptions,
  };
}

/** Called by the runner before the files of a project. */
export default async function prepareWorker({
  provide,
}: Pick<TestProject, "provide">): Promise<void> {
  // The options hold absolute paths.
  const hash = createHash("sha256").update(process.cwd());
  for (const path of SOURCES.flatMap((pattern) => globSync(pattern)).toSorted()) {
    hash.update(path).update(await readFile(path));
  }
  // Served as they lie there, so they are made anew whatever the Worker's own state.
  await promisify(execFile)(process.execPath, ["scripts/build-console.mjs"]);
  const target = `${CACHE}/${hash.digest("hex").slice(0, 16)}`;
  if (!existsSync(target)) await buildInto(target);
  provide("builtWorker", target);
}

async function buildInto(target: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const scratch = await mkdtemp(`${CACHE}/building-`);
  const args = ["node_modules/wrangler/bin/wrangler.js", "deploy", "--dry-run"];
  await promisify(execFile)(process.execPath, [...args, "--outdir", scratch]);
  // Loading wrangler takes longer than starting a Worker: only who builds pays for it.
  const { unstable_getMiniflareWorkerOptions: readConfig } = await import("wrangler");
  // The variables may be a developer's own secrets from `.dev.vars`; tests bring theirs.
  const {
    modulesRules: _rules,
    bindings: _vars,
    ...options
  } = readConfig("./wrangler.toml").workerOptions;
  await writeFile(`${scratch}/${OPTIONS}`, JSON.stringify(options));
  try {
    await rename(scratch, target);
  } catch {
    // Somebody else was faster; theirs is the same.
    await rm(scratch, { recursive: true });
  }
}
