/** Owns the peer that most people write first: the SDK's loop inside `start`, a write for each token. */
import OpenAI from "openai";
import { EVENT_STREAM, type PeerEnv, type PeerRequest } from "./environment.ts";

export default {
  async fetch(request, env) {
    const { model, messages } = await request.json<PeerRequest>();
    const client = new OpenAI({ apiKey: "none", baseURL: env.OPENAI_BASE_URL });
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    const encoder = new TextEncoder();
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        for await (const chunk of stream) {
          const content = chunk.choices[0]?.delta.content;
          if (content !== undefined && content !== null && content !== "") {
            controller.enqueue(encoder.encode(`data: ${JSON.stringify({ content })}\n\n`));
          }
        }
        controller.enqueue(encoder.encode("data: [DONE]\n\n"));
        controller.close();
      },
    });
    return new Response(body, { headers: EVENT_STREAM });
  },
} satisfies ExportedHandler<PeerEnv>;
