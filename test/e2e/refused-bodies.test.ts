/** The answer to a long body that is refused reaches a client that writes all of it before it reads. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";

/** Bytes: over what a body may have, and more than a connection holds by itself. */
const LONG = 10 * 1024 * 1024;

let worker: RunningWorker;

beforeAll(async () => {
  worker = await startWorker({});
});
afterAll(async () => {
  await worker[Symbol.asyncDispose]();
});

/** A body that does not say how long it is. */
function inPieces(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at === bytes.byteLength) controller.close();
      else controller.enqueue(bytes.subarray(at, (at += 64 * 1024)));
    },
  });
}

// While the rest was left unread, one in eight was lost.
test.each([
  ["is too long", "/v1/chat/completions", {}, 413, 24],
  ["is compressed", "/api/chat", { "content-encoding": "gzip" }, 415, 4],
  ["goes nowhere", "/v1/nothing", {}, 404, 4],
  ["goes past the API", "/chat/completions", {}, 404, 4],
  ["goes to a page", "/", {}, 405, 4],
  ["comes from a page that may not", "/api/chat", { origin: "https://evil.example" }, 403, 4],
])(
  "[E2][L5] the refusal of a long body that %s arrives",
  async (_name, path, headers, status, tries) => {
    const bytes = new Uint8Array(LONG);
    for (let n = 0; n < tries; n += 1) {
      const body = n % 2 === 0 ? bytes : inPieces(bytes);
      const init = { method: "POST", headers, body, duplex: "half" };
      const answer = await fetch(worker.origin + path, init);
      expect(answer.status).toBe(status);
      expect(await answer.json()).toHaveProperty("code");
    }
  },
);

test("[E2][B4] an import that is refused late says how far it came", async () => {
  const line = `${JSON.stringify({ data: "x".repeat(64 * 1024) })}\n`;
  const good = line.repeat(300);
  const body = `${good}no JSON\n${line.repeat(60)}`;
  const headers = { "content-type": "application/x-ndjson" };
  const url = `${worker.origin}/v1/topics/late`;
  const answer = await fetch(url, { method: "POST", headers, body });
  expect([answer.status, await answer.json()]).toMatchObject([
    400,
    { code: "invalid_json", line: 301, published: 300 },
  ]);
});
