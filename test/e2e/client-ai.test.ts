/** The AI SDK's transport through a network that breaks everywhere: the parts are those of an unbroken reading. */
import type { UIMessage, UIMessageChunk } from "ai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SluiceChatTransport } from "../../src/client/ai/index.ts";
import { type RunningWorker, startWorker } from "../support/start-worker.ts";
import { openTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

let worker: RunningWorker;
let proxy: TcpProxy;

beforeAll(async () => {
  worker = await startWorker({});
  proxy = await openTcpProxy(worker.port);
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await worker[Symbol.asyncDispose]();
});

const question: UIMessage[] = [
  { id: "1", role: "user", parts: [{ type: "text", text: "What is Sluice?" }] },
];
const ask = (chatId: string) => ({
  trigger: "submit-message" as const,
  chatId,
  messageId: undefined,
  messages: question,
  abortSignal: undefined,
});
const transportTo = (url: string): SluiceChatTransport =>
  // Waits are as short as may be.
  new SluiceChatTransport({ url, random: () => 0.01 });

test("[L4][E1] cut after every few parts, an answer has each part once, and resumes as often as it takes", async () => {
  const transport = transportTo(proxy.origin);
  const parts: UIMessageChunk[] = [];
  let cuts = 0;
  for await (const part of await transport.sendMessages(ask("cut"))) {
    parts.push(part);
    if (parts.length % 5 !== 0) continue;
    proxy.cut();
    cuts += 1;
  }
  const [first] = parts;
  const generation = first?.type === "start" ? first.messageMetadata : undefined;
  const { generation: id } = generation as { generation: string };
  const unbroken = await fetch(`${worker.origin}/api/chat/cut/stream?generation=${id}`);
  const events = (await unbroken.text()).matchAll(/^data: (\{.*)$/gm);
  expect(parts).toEqual([...events].map(([, json = ""]) => JSON.parse(json) as unknown));
  expect(parts.at(-1)).toMatchObject({ type: "finish" });
  expect(cuts).toBeGreaterThan(3);
});

test("[L4] there is nothing to reconnect to in a chat without an answer", async () => {
  const transport = transportTo(worker.origin);
  expect(await transport.reconnectToStream({ chatId: "nothing" })).toBeNull();
});

test("[L5] what the server refuses is an error at once, with its reason", async () => {
  const transport = transportTo(worker.origin);
  await expect(transport.sendMessages({ ...ask("refused"), messages: [] })).rejects.toMatchObject({
    name: "ClientError",
    code: "invalid_request",
  });
});

test("[L3][E1] who calls the reading off is told so, and the answer can still be read and stopped", async () => {
  const transport = transportTo(worker.origin);
  const controller = new AbortController();
  const stream = await transport.sendMessages({
    ...ask("left"),
    abortSignal: controller.signal,
    body: { model: "demo-endless" },
  });
  const reader = stream.getReader();
  await reader.read();
  controller.abort();
  await expect(
    (async () => {
      while (!(await reader.read()).done);
    })(),
  ).rejects.toMatchObject({ name: "AbortError" });
  const again = await transport.reconnectToStream({ chatId: "left" });
  const types = new Set<string>();
  let stopping: Promise<void> | undefined;
  for await (const { type } of again ?? []) {
    types.add(type);
    stopping ??= transport.stop("left");
  }
  await stopping;
  expect([...types].at(-1)).toBe("abort");
});

test("[L4][E2] an answer of nobody is not found", async () => {
  const path = `/api/chat/x/stream?generation=gen_${"0".repeat(32)}`;
  expect((await fetch(`${worker.origin}${path}`)).status).toBe(404);
});
