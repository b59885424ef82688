/**
 * Owns the bundle that end-to-end tests run: built by wrangler, as for a deployment, once for each
 * state of the sources. Refuses to know how it is run.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { promisify } from "node:util";

const CACHE = "node_modules/.cache/sluice-worker";
const SOURCES = ["src/**/*.ts", "durable-objects/**/*.ts", "wrangler.toml", "package-lock.json"];

/** The text of the bundled Worker. Test files run in parallel: whoever comes first leaves it to the others. */
export async function buildWorker(): Promise<string> {
  const hash = createHash("sha256");
  for (const path of SOURCES.flatMap((pattern) => globSync(pattern)).toSorted()) {
    hash.update(path).update(await readFile(path));
  }
  const target = `${CACHE}/${hash.digest("hex").slice(0, 16)}`;
  if (!existsSync(target)) {
    await mkdir(CACHE, { recursive: true });
    const scratch = await mkdtemp(`${CACHE}/building-`);
    const args = ["node_modules/wrangler/bin/wrangler.js", "deploy", "--dry-run"];
    await promisify(execFile)(process.execPath, [...args, "--outdir", scratch]);
    try {
      await rename(scratch, target);
    } catch {
      // Somebody else was faster; theirs is the same.
      await rm(scratch, { recursive: true });
    }
  }
  return await readFile(`${target}/index.js`, "utf8");
}
