import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { startWorker } from "../support/start-worker.ts";

/** The address that people who follow the README see. */
const PRINTED = "http://localhost:8787";

/** The code blocks of a language in a Markdown file, with the running Worker's address. */
function readBlocks(path: string, language: string, origin: string): string[] {
  const blocks = readFileSync(path, "utf8").matchAll(/```(\w+)\n([\s\S]*?)```/g);
  return [...blocks]
    .filter(([, name]) => name === language)
    .map(([, , code]) => (code ?? "").replaceAll(PRINTED, origin));
}

async function run(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(errors).toBe("");
  return output;
}

describe("[E1] the README", () => {
  it("[E1] its client code runs as it stands", async () => {
    await using worker = await startWorker({});
    const [code] = readBlocks("README.md", "js", worker.origin);
    const output = await run(process.execPath, ["--input-type=module", "-e", code ?? ""]);
    expect(output).toContain("Sluice");
    expect(output).not.toContain("undefined");
  });

  it("[E1] its curl commands stream to the end", async () => {
    await using worker = await startWorker({});
    const commands = readBlocks("README.md", "sh", worker.origin)
      .flatMap((block) => block.replaceAll("\\\n", " ").split("\n"))
      .filter((line) => line.startsWith("curl"));
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) {
      const output = await run("sh", ["-c", command.replace("curl", "curl -s")]);
      expect(output).toMatch(/data: \[DONE\]\n\n$/);
    }
  });
});
