/**
 * Owns the unpacking of the browser, once and before any test wants it: files run several at a time, and one that
 * starts what another is still writing fails (`ETXTBSY`). Refuses to know who starts it.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const CACHE = "node_modules/.cache";

/** The package takes the folder for temporary files, and whatever it finds there for whole. */
const UNPACK = `
  const { default: chromium } = await import("@sparticuz/chromium");
  await chromium.executablePath();`;

/** Where the packaged browser is, once it is unpacked; another folder for each version of it. */
export function packagedBrowser(): string {
  return join(folder(), "chromium");
}

/** Called by the runner before the files of a project. */
export default async function unpackBrowser(): Promise<void> {
  const target = folder();
  if (existsSync(target)) return;
  await mkdir(CACHE, { recursive: true });
  const beside = await mkdtemp(`${target}.`);
  try {
    const env = { ...process.env, TMPDIR: beside };
    await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", UNPACK], { env });
    // All of it or nothing: whoever is killed before leaves no half of a browser under this name.
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { recursive: true, force: true });
    // Another run in the same folder was faster.
    if (!existsSync(target)) throw error;
  }
}

function folder(): string {
  const main = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const { version } = createRequire(import.meta.url)(join(dirname(main), "..", "package.json")) as {
    readonly version: string;
  };
  return join(process.cwd(), CACHE, `chromium-${version}`);
}
