/** One reader who hardly reads, and a provider that never ends. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chunk } from "../support/openai-events.ts";
import { note } from "../support/note.ts";
import { until } from "../support/until.ts";
import { openRawClient, postRequest, type RawClient } from "../support/raw-client.ts";
import { type ScriptedUpstream, startUpstream } from "../support/scripted-upstream.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { keepsTalking, neverEnds } from "../support/upstream-scripts.ts";

const messages = [{ role: "user", content: "Hello?" }];
/** 2,000 bytes every 100 ms are 20 KB/s. */
const SIP_BYTES = 2_000;
const SIP_EVERY_MS = 100;
const SIPS = 30;
/** By then every buffer on the way is full. */
const SETTLED_AFTER_SIPS = 15;
/** Bytes that buffers may still take in afterwards; a provider that is not held back sends that in a blink. */
const MAX_CREEP_BYTES = 2 * 1024 * 1024;

/**
 * Bytes that may be under way between provider and client: the send and receive buffers of two
 * loopback connections, which the kernel lets grow to some MB each, and what workerd and the Worker
 * have in hand.
 */
const MAX_UNDER_WAY_BYTES = 24 * 1024 * 1024;
/** Bytes by which the Worker's process may grow for one slow client. */
const MAX_GROWTH_BYTES = 32 * 1024 * 1024;

let upstream: ScriptedUpstream;
let worker: RunningWorker;

beforeAll(async () => {
  upstream = await startUpstream();
  worker = await startWorker({
    OPENAI_BASE_URL: upstream.baseURL,
    OPENAI_MODEL: "test-model",
    MAX_OUTPUT_BYTES: String(2 ** 40),
    CHAT_WHEN_ABANDONED: "cancel",
  });
});

afterAll(async () => {
  await worker[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

test("[B1][I5] an answer that is not stored holds the provider back while its client reads 20 KB/s", async () => {
  upstream.reply(neverEnds(chunk({ content: "word ".repeat(20) }), 100));
  const before = worker.residentBytes();
  using client = await openRawClient(
    worker.port,
    postRequest("/v1/chat/completions", { messages, stream: true }),
  );
  const sent = (): number => upstream.exchanges[0]?.sentBytes() ?? 0;
  let highest = 0;
  let sentWhenSettled = 0;
  for (let sip = 0; sip < SIPS; sip += 1) {
    await pause(SIP_EVERY_MS);
    client.take(SIP_BYTES);
    if (sip === SETTLED_AFTER_SIPS) sentWhenSettled = sent();
    highest = Math.max(highest, sent() - client.receivedBytes());
  }
  const growth = worker.residentBytes() - before;
  note(
    `read ${client.receivedBytes()}, under way at most ${highest}, process grew by ${growth} bytes`,
  );
  expect(client.receivedBytes()).toBeGreaterThan(SIP_BYTES);
  expect(highest).toBeLessThan(MAX_UNDER_WAY_BYTES);
  expect(sent() - sentWhenSettled).toBeLessThan(MAX_CREEP_BYTES);
  expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
  client.socket.destroy();
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
});

/** Milliseconds between two blocks of a provider that does not wait for readers. */
const BLOCK_EVERY_MS = 1;
/** Bytes that are stored past each reader: more than the process may grow by for the slow one. */
const STORED_BYTES = MAX_GROWTH_BYTES + 8 * 1024 * 1024;

/** Lets an answer be stored while somebody reads it, and says how large the process was at most. */
async function storePast(read: (client: RawClient) => void): Promise<number> {
  const block = chunk({ content: "word ".repeat(20) }).repeat(100);
  upstream.reply(keepsTalking(block, BLOCK_EVERY_MS));
  const sent = (): number => upstream.exchanges[0]?.sentBytes() ?? 0;
  using client = await openRawClient(worker.port, postRequest("/api/chat", { messages }));
  let highest = 0;
  const reading = setInterval(() => {
    read(client);
    highest = Math.max(highest, worker.residentBytes());
  }, SIP_EVERY_MS);
  try {
    await until("much to be stored", () => sent() > STORED_BYTES, sent);
  } finally {
    clearInterval(reading);
  }
  note(`read ${client.receivedBytes()} of ${sent()}, the process had ${highest} bytes`);
  expect(client.receivedBytes()).toBeGreaterThan(SIP_BYTES);
  client.socket.destroy();
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
  return highest;
}

test("[B1][I5] a stored answer is written on while its client reads 20 KB/s, who costs a cursor", async () => {
  // What writing costs in any case, garbage that is collected later included.
  const quick = await storePast((client) => {
    if (!client.isFlowing()) client.flow();
  });
  const slow = await storePast((client) => {
    client.take(SIP_BYTES);
  });
  expect(slow - quick).toBeLessThan(MAX_GROWTH_BYTES);
});
