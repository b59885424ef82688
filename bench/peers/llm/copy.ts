/** Owns the peer that only moves bytes in JavaScript: the least that looking at them can cost. */
import { EVENT_STREAM, type PeerEnv } from "./environment.ts";

export default {
  async fetch(request, env) {
    const upstream = await fetch(`${env.OPENAI_BASE_URL}/chat/completions`, request);
    const upstreamBody: ReadableStream<Uint8Array> | null = upstream.body;
    const reader = upstreamBody?.getReader();
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const read = await reader?.read();
        if (read === undefined || read.done) controller.close();
        else controller.enqueue(read.value);
      },
    });
    return new Response(body, { headers: EVENT_STREAM });
  },
} satisfies ExportedHandler<PeerEnv>;
