/**
 * Owns the peer made with better-sse on Node: a channel a topic, and an array of the newest events for
 * those who come late.
 *
 * Prints its port once it listens.
 */
import { createServer, type IncomingMessage } from "node:http";
import { type Channel, createChannel, createSession } from "better-sse";

const KEPT = 1_000;

interface Topic {
  readonly channel: Channel;
  events: readonly string[];
}

const topics = new Map<string, Topic>();

const server = createServer((request, response) => {
  const [, from, name = ""] = (request.url ?? "").split("/");
  const topic = topics.get(name) ?? { channel: createChannel(), events: [] };
  topics.set(name, topic);
  if (request.method === "POST") {
    void readTexts(request).then((texts) => {
      for (const text of texts) {
        topic.events = [...topic.events.slice(1 - KEPT), text];
        topic.channel.broadcast(text);
      }
      response.writeHead(204).end();
    });
    return;
  }
  void createSession(request, response).then((session) => {
    if (from === "start") for (const text of topic.events) session.push(text);
    topic.channel.register(session);
  });
});

async function readTexts(request: IncomingMessage): Promise<readonly string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as readonly string[];
}

server.listen(0, "127.0.0.1", 4096, () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(address.port);
});
