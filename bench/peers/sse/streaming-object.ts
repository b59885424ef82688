/**
 * Owns the peer that is written first by whoever wants events from a Durable Object: the object itself
 * answers with Hono's `streamSSE`, keeps its open streams in a set and its newest events in an array.
 */
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";

/** Events kept for those who come late. */
const KEPT = 1_000;

interface Kept {
  readonly id: string;
  readonly data: string;
}

export class StreamingTopic extends DurableObject {
  readonly #streams = new Set<SSEStreamingApi>();
  readonly #awakeSince = Date.now();
  #events: readonly Kept[] = [];
  #published = 0;

  readonly #app = new Hono()
    .get("/stats/*", (c) => c.json({ awakeSince: this.#awakeSince }))
    .get("/now/*", (c) => streamSSE(c, async (stream) => await this.#stay(stream)))
    .get("/start/*", (c) =>
      streamSSE(c, async (stream) => {
        for (const event of this.#events) await stream.writeSSE(event);
        await this.#stay(stream);
      }),
    )
    .post("*", async (c) => {
      const texts = await c.req.json<readonly string[]>();
      for (const data of texts) {
        this.#published += 1;
        const event = { id: String(this.#published), data };
        this.#events = [...this.#events.slice(1 - KEPT), event];
        await Promise.all([...this.#streams].map(async (stream) => await stream.writeSSE(event)));
      }
      return c.body(null, 204);
    });

  override fetch(request: Request): Response | Promise<Response> {
    return this.#app.fetch(request);
  }

  async #stay(stream: SSEStreamingApi): Promise<void> {
    this.#streams.add(stream);
    await new Promise<void>((resolve) => {
      stream.onAbort(resolve);
    });
    this.#streams.delete(stream);
  }
}

export default {
  fetch: (request, env) => {
    const [, , topic = ""] = new URL(request.url).pathname.split("/");
    return env.TOPICS.getByName(topic).fetch(request);
  },
} satisfies ExportedHandler<{ readonly TOPICS: DurableObjectNamespace<StreamingTopic> }>;
