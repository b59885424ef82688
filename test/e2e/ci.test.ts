/** What a run of the tests says last, and whether it counts as passed. */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const CACHE = resolve("node_modules/.cache");
const REPORTER = resolve("test/support/totals-reporter.ts");
const VITEST = resolve("node_modules/vitest/vitest.mjs");
let folder: string;

beforeAll(async () => {
  await mkdir(CACHE, { recursive: true });
  folder = await mkdtemp(join(CACHE, "ci-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function lastLine(text: string): string | undefined {
  return text.trimEnd().split("\n").at(-1);
}

describe("[E2] the totals of a run", () => {
  const runTests = async (name: string, tests: string, args: readonly string[] = []) => {
    const root = join(folder, name);
    await mkdir(root);
    await writeFile(join(root, "it.test.js"), `import { test } from "vitest";\n${tests}`);
    await writeFile(join(root, "vitest.config.js"), "export default {};");
    const options = ["run", "--root", root, "--reporter", "default", "--reporter", REPORTER];
    const { status, stdout } = spawnSync(process.execPath, [VITEST, ...options, ...args], {
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    return [status, lastLine(stdout)];
  };
  const good = 'test("a good one", () => {});';

  it.each<readonly [string, string, readonly string[], number, string]>([
    ["good", good, [], 0, "1 passed, 0 failed"],
    [
      "bad",
      `${good} test("a bad one", () => { throw new Error("bad"); });`,
      [],
      1,
      "1 passed, 1 failed",
    ],
    ["broken", "import './nothing.js';", [], 1, "0 passed, 1 failed"],
    ["skipped", `${good} test.skip("b", () => {});`, [], 1, "1 passed, 0 failed, 1 skipped"],
    ["planned", `${good} test.todo("b");`, [], 1, "1 passed, 0 failed, 1 skipped"],
    ["chosen", `${good} test("b", () => {});`, ["-t", "good"], 0, "1 passed, 0 failed, 1 skipped"],
  ])("[E2] %s tests", async (name, tests, args, status, totals) => {
    expect(await runTests(name, tests, args)).toEqual([status, totals]);
  });
});

describe("[E2] .ci/run", () => {
  it.each([
    ["passes", 0, "3 passed, 0 failed", "3 passed, 0 failed"],
    ["fails", 1, "3 passed, 2 failed", "3 passed, 2 failed"],
    ["skipped tests", 1, "3 passed, 0 failed, 1 skipped", "3 passed, 0 failed"],
    ["fails in the checks", 2, "a type error", "0 passed, 1 failed"],
    ["talks on after its totals", 0, "1 passed, 0 failed\nbye", "1 passed, 0 failed"],
  ])("[E2] ends in the totals alone when npm test %s", async (name, status, output, totals) => {
    const bin = join(folder, name.replaceAll(" ", "-"));
    await mkdir(bin);
    const script = `#!/bin/sh\ncat <<'END'\n${output}\nEND\nexit ${status}\n`;
    await writeFile(join(bin, "npm"), script, { mode: 0o755 });
    const run = spawnSync("bash", [".ci/run"], {
      encoding: "utf8",
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` },
    });
    expect([run.status, lastLine(run.stdout)]).toEqual([status, totals]);
  });
});
