/** The page on rooms: its examples, run as they stand, and its tables. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DEDUPE_WINDOW, MAIL_DEDUPE_WINDOW, MAX_MAILS } from "../../durable-objects/log/limits.ts";
import * as limits from "../../src/protocol/limits.ts";
import { isEventName } from "../../src/protocol/names.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";

const PAGE = readFileSync("docs/rooms.md", "utf8");

const [JOIN = "", READ = "", ...more] = [...PAGE.matchAll(/```js\n([^]*?)```/g)].map(
  ([, code = ""]) => code,
);

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({});
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

/** Runs an example until it has printed what is expected, or has ended. */
async function run(code: string, expected: RegExp): Promise<string> {
  const { host, origin } = new URL(worker.origin);
  const script = code.replace("http://localhost:8787", origin).replace("localhost:8787", host);
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  const ended = once(child, "exit");
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  await until("its output", () => expected.test(output) || child.exitCode !== null);
  child.kill();
  await ended;
  return output;
}

test("[E1][W1] the first example shows what is in a message", async () => {
  const said = /^ann chat \{ text: 'Hello' \}$/m;
  const output = await run(JOIN, said);
  expect(output).toMatch(said);
  expect(output).toMatch(/^16 \[\{"member":"ann"/m);
  expect(output).not.toMatch(/\[Object\]|\[Array\]|Error/);
});

test("[E1][W5] the loop reads all of a room, however many pages it takes", async () => {
  // A page is full before it has as many messages as it may.
  const body = JSON.stringify(
    Array.from({ length: 60 }, () => ({ event: "chat", payload: "x".repeat(60_000) })),
  );
  const address = `${worker.origin}/v1/rooms/lobby/messages`;
  const response = await fetch(address, { method: "POST", body });
  expect(response.status).toBe(201);
  const page = await (await fetch(`${address}?limit=1000`)).json();
  expect(page).toMatchObject({ done: false });
  const { messages } = page as { messages: readonly unknown[] };
  expect(messages.length).toBeLessThan(60);
  expect(await run(READ, /messages/)).toBe("61 messages\n");
});

test("[E1] there are no other examples", () => {
  expect(more).toEqual([]);
});

test("[W4] the table of fixed limits says what they are", () => {
  const [, section = ""] = PAGE.split("\n### Fixed limits\n");
  const [table = ""] = section.split("\n## ");
  const row = (name: string): string => table.split("\n").find((line) => line.includes(name)) ?? "";
  const shown = (count: number): string => count.toLocaleString("en");
  const told: readonly (readonly [name: string, counts: readonly number[]])[] = [
    ["messages of one", [limits.MAX_PUBLISH_MESSAGES, limits.MAX_BODY_BYTES / 2 ** 20]],
    ["payload", [limits.MAX_MESSAGE_BYTES, limits.MAX_DEPTH, limits.MAX_ELEMENTS]],
    ["a frame", [limits.MAX_FRAME_BYTES, limits.MAX_SERVER_FRAME_BYTES]],
    [
      "presence state",
      [limits.MAX_PRESENCE_BYTES, limits.PRESENCE_COMPLETE_MEMBERS, limits.PRESENCE_SAMPLE],
    ],
    ["connections of a member", [limits.MAX_CONNECTIONS_PER_MEMBER]],
    ["sent ahead", [limits.DEFAULT_CREDIT_MESSAGES, limits.MAX_CREDIT_MESSAGES]],
    ["replayed", [limits.MAX_HISTORY]],
    ["of a page", [limits.MAX_HISTORY]],
    ["that wait", [MAX_MAILS]],
    ["ids remembered", [DEDUPE_WINDOW, MAIL_DEDUPE_WINDOW]],
    ["until a hello", [limits.HELLO_TIMEOUT_MS / 1_000, limits.DEAD_AFTER_MS / 1_000]],
    ["refusals", [limits.MAX_RATE_STRIKES]],
    ["revocations", [limits.MAX_REVOCATIONS]],
  ];
  for (const [name, counts] of told) {
    for (const count of counts) expect(row(name)).toMatch(new RegExp(`\\b${shown(count)}\\b`));
  }
});

test("[S1][W4] no message can be named like an event of the stream's own", () => {
  const [, section = ""] = PAGE.split("\n## The event stream\n");
  const [text = ""] = section.split("\n## ");
  const names = [...text.matchAll(/^\| `(\w+)` /gm)].map(([, name = ""]) => name);
  expect(names).toEqual(["gap", "error"]);
  for (const name of [...names, "end", "open"]) expect(isEventName(name)).toBe(false);
});
