/** The examples of docs/access.md, run as they stand, one after the other, against the running Worker. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { sign } from "hono/jwt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { capabilitiesOn } from "../../src/auth/grants.ts";
import { readAuthSettings } from "../../src/auth/settings.ts";
import { readToken } from "../../src/auth/token.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { SECRET } from "../support/tokens.ts";

/** The address that people who follow the documentation see. */
const PRINTED = "http://localhost:8787";

const page = readFileSync("docs/access.md", "utf8");
let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({ AUTH_SECRET: SECRET });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

function blocks(language: string): readonly string[] {
  const found = page.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g"));
  return [...found].map(([, code = ""]) => code.replaceAll(PRINTED, worker.origin));
}

async function run(command: string, args: readonly string[]) {
  const env = { PATH: process.env["PATH"] ?? "", AUTH_SECRET: SECRET };
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
  const [output, errors] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit"),
  ]);
  return { output, errors };
}

/** The shell's examples; a stream is left after a moment. */
function script(): string {
  return blocks("sh")
    .join("\n")
    .replaceAll("curl -N", "curl -sS -N --max-time 2")
    .replaceAll("curl http", "curl -sS http");
}

test("[E1][E2] what the shell is told to do shows the message, by the token and by a ticket, which counts once", async () => {
  const again = `curl -sS "${worker.origin}/v1/rooms/lobby/events?ticket=$TICKET"`;
  const { output, errors } = await run("sh", ["-c", `${script()}\n${again}`]);
  expect(output.match(/"positions":\["/g)).toHaveLength(1);
  expect(output.match(/"payload":"Hello"/g)).toHaveLength(2);
  expect(output).toMatch(/"code":"unauthorized"[^\n]*$/);
  // Nothing but that the streams were left.
  expect(errors.split("\n").filter((line) => line !== "" && !line.includes("timed out"))).toEqual(
    [],
  );
});

test("[E1][E2] what a page is told to do works with the same token", async () => {
  const [code = ""] = blocks("js");
  const [mint = ""] = script()
    .split("\n")
    .filter((line) => line.startsWith("TOKEN="));
  const { output: token } = await run("sh", ["-c", `${mint}\necho "$TOKEN"`]);
  const changed = code.replaceAll(/(["`])\/v1\//g, `$1${worker.origin}/v1/`);
  const program = `
    const token = process.argv.at(-1);
    ${changed}
    await new Promise((resolve) => { news.onopen = resolve; });
    news.close();
    await new Promise((resolve) => { room.onopen = resolve; if (room.readyState === 1) resolve(); });
    console.log("open", room.protocol);
    room.close();
  `;
  const flags = ["--experimental-eventsource", "--input-type=module", "--no-warnings"];
  const { output, errors } = await run(process.execPath, [...flags, "-e", program, token.trim()]);
  expect([output, errors]).toEqual(["open sluice.v1\n", ""]);
});

test("[E1] the claims that it shows are understood", async () => {
  const claims = JSON.parse(blocks("json")[0] ?? "") as Record<string, unknown>;
  const bearer = await readToken(await sign(claims, SECRET, "HS256"), {
    settings: readAuthSettings({ AUTH_SECRET: SECRET }),
    now: Number(claims["iat"]),
    findKeys: () => Promise.reject(new Error("no keys in this test")),
  });
  expect(bearer.access.member).toBe("alice");
  // What the page's other examples open.
  for (const [kind, name] of [
    ["rooms", "lobby"],
    ["topics", "news"],
  ] as const) {
    expect(capabilitiesOn(bearer, { kind, name }, []).has("read")).toBe(true);
  }
});
