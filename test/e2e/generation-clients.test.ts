/** Real clients of stored answers: the official `openai`, the AI SDK's transport; and whose answers are whose. */
import { DefaultChatTransport, readUIMessageStream, type UIMessage, type UIMessageChunk } from "ai";
import { sign } from "hono/jwt";
import OpenAI from "openai";
import { expect, test } from "vitest";
import {
  GenerationClient,
  generationOf,
  messages,
  readUntil,
} from "../support/generation-client.ts";
import { ROLE, TEXT, TOOL_CALL, chunk } from "../support/openai-events.ts";
import { serveGenerations } from "../support/serve-generations.ts";
import { startWorker } from "../support/start-worker.ts";
import { until } from "../support/until.ts";
import { answersWell, keepsTalking, plays, stallsAfter } from "../support/upstream-scripts.ts";

const model = "test-model";
const SECRET = "a-secret-of-more-than-thirty-two-characters";

const server = serveGenerations();

test("[E1][L4] the openai client streams a stored answer, gets it again by the id it saw, and deletes it", async () => {
  server.upstream.reply(answersWell);
  const client = new OpenAI({
    baseURL: `${server.worker.origin}/v1`,
    apiKey: "anything",
    maxRetries: 0,
  });
  const stream = await client.chat.completions.create({
    model,
    messages: [...messages],
    stream: true,
    store: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let id = "";
  let total = 0;
  for await (const part of stream) {
    ({ id } = part);
    text += part.choices[0]?.delta.content ?? "";
    total = part.usage?.total_tokens ?? total;
  }
  expect([text, total]).toEqual([TEXT, 8]);
  const found = await client.chat.completions.retrieve(id);
  expect(found.choices[0]?.message.content).toBe(TEXT);
  expect(found.usage?.total_tokens).toBe(8);
  expect((await client.chat.completions.delete(id)).deleted).toBe(true);
  await expect(client.chat.completions.retrieve(id)).rejects.toThrow(OpenAI.NotFoundError);
});

test("[E1][L1] the openai client gets a stored answer whole, and its errors typed", async () => {
  server.upstream.reply(plays(TOOL_CALL), plays([ROLE, chunk({ content: "half" })]));
  const client = new OpenAI({
    baseURL: `${server.worker.origin}/v1`,
    apiKey: "anything",
    maxRetries: 0,
  });
  const ask = () => client.chat.completions.create({ model, messages: [...messages], store: true });
  const whole = await ask();
  expect(whole.choices[0]?.message.tool_calls).toEqual([
    { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Linz"}' } },
  ]);
  await expect(ask()).rejects.toMatchObject({ code: "upstream_truncated" });
});

const user = (text: string): UIMessage => ({
  id: text,
  role: "user",
  parts: [{ type: "text", text }],
});

function openChat(chatId: string, headers: Record<string, string> = {}) {
  const transport = new DefaultChatTransport({ api: `${server.worker.origin}/api/chat`, headers });
  const abort = new AbortController();
  return {
    leave: () => {
      abort.abort();
    },
    send: (text: string) =>
      transport.sendMessages({
        chatId,
        messages: [user(text)],
        trigger: "submit-message",
        messageId: undefined,
        abortSignal: abort.signal,
      }),
    resume: () => transport.reconnectToStream({ chatId }),
    stop: async (body?: object) => {
      const init = body === undefined ? {} : { body: JSON.stringify(body) };
      const url = `${server.worker.origin}/api/chat/${chatId}/stop`;
      const response = await fetch(url, { method: "POST", headers, ...init });
      const answer: { stopped: boolean; activeStreamId: string | null } = await response.json();
      return answer;
    },
  };
}

async function readMessage(stream: ReadableStream<UIMessageChunk>): Promise<UIMessage> {
  let last: UIMessage | undefined;
  for await (const state of readUIMessageStream({ stream })) last = state;
  if (last === undefined) throw new Error("no message");
  return last;
}

const textOf = ({ parts }: UIMessage): string =>
  parts.map((part) => (part.type === "text" ? part.text : "")).join("");

test("[E1][L4] a chat is resumed from its start by its name, with the same message, until it has ended", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.upstream.reply(async (wire) => {
    wire.head(200, { "content-type": "text/event-stream" });
    await wire.write(ROLE + chunk({ content: "Grüße" }));
    await promise;
    await wire.write(chunk({ content: " 東京" }, "stop"));
    wire.end("data: [DONE]\n\n");
  });
  const chat = openChat("chat-1");
  expect(await chat.resume()).toBeNull();
  const first = (await chat.send("Hi")).getReader();
  const seen = await first.read();
  chat.leave();
  const resumed = await chat.resume();
  if (resumed === null) throw new Error("nothing to resume");
  resolve();
  const message = await readMessage(resumed);
  expect(textOf(message)).toBe("Grüße 東京");
  expect(seen.value).toMatchObject({ type: "start", messageId: message.id });
  await until("nothing runs", async () => (await chat.resume()) === null);
  expect(server.upstream.exchanges.length).toBe(1);
});

test("[L3][L4] a chat is stopped from elsewhere, and a stop meant for an earlier answer does nothing", async () => {
  server.upstream.reply(keepsTalking(chunk({ content: "word " }), 5));
  const chat = openChat("chat-2");
  const message = readMessage(await chat.send("Hi"));
  expect(await chat.stop({ activeStreamId: `gen_${"0".repeat(32)}` })).toMatchObject({
    stopped: false,
  });
  const { activeStreamId } = await chat.stop({ activeStreamId: "stale" });
  expect(activeStreamId).toMatch(/^gen_/);
  expect(await chat.stop({ activeStreamId })).toEqual({ stopped: true, activeStreamId: null });
  expect((await message).id).toBe(activeStreamId);
  await until("the provider's socket to close", () => server.upstream.openSockets() === 0);
  expect(await chat.stop()).toMatchObject({ stopped: false });
});

test("[L3] a new turn of a chat stops the one that was being written", async () => {
  server.upstream.reply(stallsAfter([ROLE, chunk({ content: "old" })]), answersWell);
  const chat = openChat("chat-3");
  const old = readMessage(await chat.send("one"));
  expect(textOf(await readMessage(await chat.send("two")))).toBe(TEXT);
  expect(textOf(await old)).toBe("old");
  await until("the provider to be left alone", () => server.upstream.openAnswers() === 0);
});

test("[E2][I8] answers and chats are their owner's: another subject finds nothing", async () => {
  await using closed = await startWorker({
    OPENAI_BASE_URL: server.upstream.baseURL,
    OPENAI_MODEL: model,
    AUTH_SECRET: SECRET,
    DEFAULT_ACCESS: '{"can":{"generations/*":["run","read","cancel"]}}',
    MAX_RUNNING_GENERATIONS: "2",
    KEEPALIVE_MS: "200",
  });
  const as = async (sub: string): Promise<GenerationClient> => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const token = await sign({ sub, iat: exp - 600, exp }, SECRET);
    return new GenerationClient(closed.origin, { authorization: `Bearer ${token}` });
  };
  const ann = await as("ann");
  const bob = await as("bob");
  server.upstream.reply(stallsAfter([ROLE, chunk({ content: "secret" })]));
  const response = await ann.start({}, { "idempotency-key": "k" });
  await readUntil(response, (text) => text.includes("secret"));
  const id = generationOf(response);
  const door = `/v1/chat/completions/${id}`;
  expect((await ann.get(door)).status).toBe(202);
  for (const denied of [
    await bob.get(door),
    await bob.watch(id),
    await bob.watch(id, undefined, "/api/chat"),
    await bob.post(`${door}/cancel`, {}),
    await bob.post(`${door}/restart`, {}),
    await bob.post(`${door}/continue`, {}),
    await bob.get(`${door}/stats`),
    await bob.delete(door),
  ]) {
    expect(denied.status).toBe(404);
  }
  // The same key and the same chat of another subject are other ones.
  const other = await bob.start({}, { "idempotency-key": "k" });
  expect(generationOf(other)).not.toBe(id);
  await bob.stop(generationOf(other));
  await other.text();
  const ui = { id: "shared", messages: [{ role: "user", parts: [{ type: "text", text: "Hi" }] }] };
  const turn = await ann.post("/api/chat", ui);
  expect(turn.headers.get("x-vercel-ai-ui-message-stream")).toBe("v1");
  expect((await bob.get("/api/chat/shared/stream")).status).toBe(204);
  expect(await (await bob.post("/api/chat/shared/stop", {})).json()).toMatchObject({
    stopped: false,
  });

  const refused = await ann.start();
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ code: "too_many_generations" });
  await ann.stop(id);
  await until("there is room again", async () => {
    const retried = await ann.start();
    await retried.body?.cancel();
    return retried.status === 200;
  });
  await turn.body?.cancel();
});
