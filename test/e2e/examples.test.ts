/** The examples that are scripts, run as they stand by the runtimes they are for. */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openProject, type Project } from "../support/open-project.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

/** How each runtime is asked to run a file. */
const RUNTIMES = {
  node: [process.execPath],
  deno: [
    resolve("node_modules/.bin/deno"),
    "run",
    "--no-lock",
    "--node-modules-dir=manual",
    "--allow-net=127.0.0.1",
  ],
  bun: [resolve("node_modules/.bin/bun")],
} as const;

let worker: RunningWorker;
let project: Project;

beforeAll(async () => {
  worker = await startWorker({});
  project = await openProject(worker.origin);
});

afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
});

test.each([
  ["fetch.js", "node", /^\{"content":[^]*Sluice[^]*\n\[DONE\]\n$/],
  ["fetch.js", "deno", /^\{"content":[^]*Sluice[^]*\n\[DONE\]\n$/],
  ["fetch.js", "bun", /^\{"content":[^]*Sluice[^]*\n\[DONE\]\n$/],
  ["node.js", "node", /^\S+: Hello from Node\n$/],
  ["deno.ts", "deno", /Sluice[^]*\n\(gen_[0-9a-f]{32}: completed, \d+ tokens\)\n$/],
] as const)("[E1] examples/%s runs in %s, and ends by itself", async (name, runtime, expected) => {
  const [program, ...args] = RUNTIMES[runtime];
  const { stdout, stderr } = await promisify(execFile)(program, [...args, name], {
    cwd: project.path,
    env: {
      ...process.env,
      NO_COLOR: "1",
      DENO_NO_UPDATE_CHECK: "1",
      DENO_DIR: `${project.path}/deno`,
    },
  });
  expect(stderr).toBe("");
  expect(stdout).toMatch(expected);
});
