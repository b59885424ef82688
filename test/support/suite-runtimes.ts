/** Owns how the client's suite is run in runtimes other than this one. Refuses to know the cases. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { build } from "esbuild";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import type { Addresses, CaseResult } from "../client-suite/report.ts";

/** Runs all cases somewhere and gives the results. */
type Run = (addresses: Addresses) => Promise<readonly CaseResult[]>;

const PROGRAM = "test/client-suite/main.ts";

/** Without asking anybody whether there is something newer, and without files of its own in the project. */
const DENO_ENVIRONMENT = { DENO_NO_UPDATE_CHECK: "1", DENO_DIR: "node_modules/.cache/deno" };
const DENO_ARGS = ["run", "--no-lock", "--node-modules-dir=manual", "--allow-net=127.0.0.1"];

export const SUITE_RUNTIMES: readonly (readonly [string, Run])[] = [
  ["deno", async (addresses) => await runProgram("deno", [...DENO_ARGS, PROGRAM], addresses)],
  ["bun", async (addresses) => await runProgram("bun", [PROGRAM], addresses)],
  ["workerd", runInWorkerd],
];

async function runProgram(
  program: string,
  args: readonly string[],
  { url, brokenUrl, cutUrl }: Addresses,
): Promise<readonly CaseResult[]> {
  const { stdout } = await promisify(execFile)(
    `node_modules/.bin/${program}`,
    [...args, url, brokenUrl, cutUrl],
    { env: { ...process.env, ...DENO_ENVIRONMENT } },
  );
  return parse(stdout);
}

async function runInWorkerd(addresses: Addresses): Promise<readonly CaseResult[]> {
  const { outputFiles } = await build({
    entryPoints: ["test/client-suite/worker.ts"],
    bundle: true,
    format: "esm",
    target: "es2024",
    write: false,
  });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      compatibilityDate: "2026-10-23",
      modules: [{ type: "ESModule", path: "worker.js", contents: outputFiles[0]?.text ?? "" }],
    }),
  );
  try {
    const url = new URL(await miniflare.ready);
    url.search = String(new URLSearchParams({ ...addresses }));
    return parse(await (await fetch(url)).text());
  } finally {
    await miniflare.dispose();
  }
}

function parse(lines: string): readonly CaseResult[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as CaseResult);
}
