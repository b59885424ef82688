/** Every example of docs/client.md and docs/documents.md, run as it stands against the running Worker with the package as it is built. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

/** The address that people who follow the documentation see. */
const PRINTED = "http://localhost:8787";

/** What each example prints, in the order in which they stand. */
const EXPECTED = [
  /^price \{ symbol: 'ABC', price: 12\.5 \} \S+_\d{16}$/m,
  /^ann \{ text: 'Hello' \}\n\[ \{ member: 'ann', state: \{ typing: false \} \} \] 1$/m,
  /^waiting: 1\nwaiting: 0$/m,
  /Sluice[^]*^completed \d+$/m,
  /^completed \d+$/m,
  /^\{ position: '\S+_\d{16}' \}$/m,
  /^draw 2$/m,
  /^read: price$/m,
  /^bob reads: Hello, Bob\. $/m,
];

let worker: RunningWorker;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ["scripts/build-client.mjs"]);
  worker = await startWorker({});
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

const pages = ["docs/client.md", "docs/documents.md"].map((page) => readFileSync(page, "utf8"));
const examples = [...pages.join("").matchAll(/```js\n([^]*?)```/g)].map(([, code = ""]) => code);

test("[E1] every example is expected to print something", () => {
  expect(examples).toHaveLength(EXPECTED.length);
});

test.each(examples.map((code, index) => [index + 1, code] as const))(
  "[E1][W7] example %i of the client's pages runs as it stands, and ends by itself",
  async (number, code) => {
    const script = code.replaceAll(PRINTED, worker.origin);
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [output, errors] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "exit"),
    ]);
    expect(errors).toBe("");
    expect(output).toMatch(EXPECTED[number - 1] ?? /never/);
  },
);
