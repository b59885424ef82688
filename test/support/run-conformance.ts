/**
 * Owns running the protocol's own conformance suite, which is written for a test runner of another
 * version, in a process of its own. Refuses to know what is expected of it.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { tmpdir } from "node:os";

const require = createRequire(import.meta.url);
const suite = require.resolve("@durable-streams/server-conformance-tests/package.json");
const SUITE = dirname(suite);
const RUNNER = join(dirname(createRequire(suite).resolve("vitest/package.json")), "vitest.mjs");

/** What came of one case of the suite. */
export interface Case {
  /** The groups it is in and its own name. */
  readonly name: string;
  readonly group: string;
  readonly status: string;
  /** The first line of what it says when it fails. */
  readonly message: string;
}

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** Runs every case against a server. */
export async function runConformance(origin: string, pattern?: string): Promise<readonly Case[]> {
  const scratch = await mkdtemp(join(tmpdir(), "sluice-conformance-"));
  try {
    const config = join(scratch, "vitest.config.mjs");
    const output = join(scratch, "report.json");
    const settings = {
      include: ["dist/test-runner.js"],
      exclude: [],
      cache: false,
      // A case is a few requests, some of them hundreds: a machine that does something else besides takes its time.
      testTimeout: 60_000,
    };
    await writeFile(config, `export default ${JSON.stringify({ test: settings })};`);
    const args = [
      RUNNER,
      "run",
      "--root",
      SUITE,
      "--config",
      config,
      "--reporter",
      "json",
      "--outputFile",
      output,
      ...(pattern === undefined ? [] : ["--testNamePattern", pattern]),
    ];
    const log = await run(args, { CONFORMANCE_TEST_URL: origin });
    const text = await readFile(output, "utf8").catch(() => {
      throw new Error(`The suite did not run:\n${log}`);
    });
    return readCases(JSON.parse(text) as Report);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { VITEST: _own, ...inherited } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { env: { ...inherited, ...env } });
    let log = "";
    const note = (chunk: Buffer): void => {
      log += chunk.toString();
    };
    child.stdout.on("data", note);
    child.stderr.on("data", note);
    child.on("error", reject);
    // Its exit code says only that something failed, which the report says better.
    child.on("close", () => {
      resolve(log);
    });
  });
}

function readCases({ testResults }: Report): readonly Case[] {
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status, failureMessages }) => ({
      name: [...ancestorTitles, title].join(" > "),
      group: ancestorTitles[0] ?? "",
      status,
      message: failureMessages[0]?.split("\n", 1)[0] ?? "",
    })),
  );
}
