import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
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

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

async function run(command: string, args: readonly string[]): Promise<Outcome> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null]>,
  ]);
  return { code, output, errors };
}

/** Runs the README's client as it stands, or asking for another model. */
async function runClient(origin: string, model?: string): Promise<Outcome> {
  const [code = ""] = readBlocks("README.md", "js", origin);
  const asking = "JSON.stringify({ messages";
  expect(code).toContain(asking);
  const changed =
    model === undefined
      ? code
      : code.replace(asking, `JSON.stringify({ model: "${model}", messages`);
  return await run(process.execPath, ["--input-type=module", "-e", changed]);
}

describe("[E1] the README", () => {
  it("[E1] its client code runs as it stands", async () => {
    await using worker = await startWorker({});
    const { code, output, errors } = await runClient(worker.origin);
    expect([code, errors]).toEqual([0, ""]);
    expect(output).toContain("Sluice");
    expect(output).not.toContain("undefined");
  });

  it.each([
    ["demo-truncated", "upstream_truncated"],
    ["demo-fail-before", "upstream_unavailable"],
  ])("[E1][L5] its client code takes %s for no answer", async (model, expected) => {
    await using worker = await startWorker({});
    const { code, errors } = await runClient(worker.origin, model);
    expect(code).not.toBe(0);
    expect(errors).toContain(expected);
  });

  it("[E1][L5] its client code notices that the connection ended early", async () => {
    const server = createServer((_request, response) => {
      response.end('data: {"content":"Half an"}\n\n');
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { code, output, errors } = await runClient(`http://127.0.0.1:${port}`);
    server.closeAllConnections();
    server.close();
    expect(output).toBe("Half an\n");
    expect(code).not.toBe(0);
    expect(errors).toContain("cut off");
  });

  it("[E1] its curl commands stream to the end", async () => {
    await using worker = await startWorker({});
    const commands = readBlocks("README.md", "sh", worker.origin)
      .flatMap((block) => block.replaceAll("\\\n", " ").split("\n"))
      .filter((line) => line.startsWith("curl"));
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands) {
      const { output, errors } = await run("sh", ["-c", command.replace("curl", "curl -s")]);
      expect(errors).toBe("");
      expect(output).toMatch(/data: \[DONE\]\n\n$/);
    }
  });
});
