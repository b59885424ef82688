/** One reader who hardly reads, and a provider that never ends. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chunk } from "../support/openai-events.ts";
import { note } from "../support/note.ts";
import { until } from "../support/until.ts";
import { openRawClient, postRequest } from "../support/raw-client.ts";
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
/** Bytes after which the Worker's process has grown to what it needs anyway. */
const WARM_BYTES = 16 * 1024 * 1024;
/** Bytes that are stored past the reader: more than the process may grow by. */
const STORED_BYTES = MAX_GROWTH_BYTES + 8 * 1024 * 1024;

test("[B1][I5] a stored answer is written on while its client reads 20 KB/s, who costs a cursor", async () => {
  const block = chunk({ content: "word ".repeat(20) }).repeat(100);
  const sent = (): number => upstream.exchanges[0]?.sentBytes() ?? 0;
  const request = postRequest("/api/chat", { messages });
  upstream.reply(keepsTalking(block, BLOCK_EVERY_MS));
  {
    using quick = await openRawClient(worker.port, request);
    quick.flow();
    await until("the Worker to be warm", () => sent() > WARM_BYTES, sent);
  }
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
  upstream.reply(keepsTalking(block, BLOCK_EVERY_MS));
  const before = worker.residentBytes();
  let highest = before;
  using client = await openRawClient(worker.port, request);
  const sipping = setInterval(() => {
    client.take(SIP_BYTES);
    highest = Math.max(highest, worker.residentBytes());
  }, SIP_EVERY_MS);
  try {
    await until("much to be stored", () => sent() > STORED_BYTES, sent);
  } finally {
    clearInterval(sipping);
  }
  note(`read ${client.receivedBytes()} of ${sent()}, process grew by ${highest - before} bytes`);
  expect(client.receivedBytes()).toBeGreaterThan(SIP_BYTES);
  expect(client.receivedBytes()).toBeLessThan(STORED_BYTES / 8);
  expect(highest - before).toBeLessThan(MAX_GROWTH_BYTES);
  client.socket.destroy();
  await until("the provider's socket to close", () => upstream.openSockets() === 0);
});
