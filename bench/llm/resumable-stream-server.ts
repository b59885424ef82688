/**
 * Owns the peer made with resumable-stream on Node: what the provider sends goes to the one who asked
 * and, through Redis, to whoever comes later.
 *
 * Prints its port once it listens.
 */
import { randomUUID } from "node:crypto";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { text } from "node:stream/consumers";
import { createClient } from "redis";
import { createResumableStreamContext } from "resumable-stream/redis";

const { OPENAI_BASE_URL: baseUrl = "", REDIS_URL: url = "" } = process.env;
const publisher = createClient({ url });
const subscriber = createClient({ url });
await Promise.all([publisher.connect(), subscriber.connect()]);
const streams = createResumableStreamContext({ waitUntil: null, publisher, subscriber });

const server = createServer((request, response) => {
  const answering = request.method === "POST" ? start(request, response) : watch(request, response);
  answering.catch((error: unknown) => {
    response.destroy(error instanceof Error ? error : undefined);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", 4096, () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(address.port);
});

async function start(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = randomUUID();
  const headers = { "content-type": "application/json" };
  const body = await text(request);
  const asked = await fetch(`${baseUrl}/chat/completions`, { method: "POST", headers, body });
  const answer = asked.body?.pipeThrough(new TextDecoderStream());
  if (answer === undefined) throw new Error("The provider said nothing.");
  await send(response, id, await streams.createNewResumableStream(id, () => answer));
}

async function watch(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const id = (request.url ?? "").slice(1);
  await send(response, id, (await streams.resumeExistingStream(id)) ?? null);
}

async function send(
  response: ServerResponse,
  id: string,
  stream: ReadableStream<string> | null,
): Promise<void> {
  response.writeHead(stream === null ? 204 : 200, {
    "content-type": "text/event-stream",
    "stream-id": id,
  });
  if (stream !== null) for await (const piece of stream) response.write(piece);
  response.end();
}
