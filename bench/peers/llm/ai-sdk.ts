/** Owns the peer made of the AI SDK: `streamText` and its UI message stream. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";
import type { PeerEnv, PeerRequest } from "./environment.ts";

export default {
  async fetch(request, env) {
    const { model, messages } = await request.json<PeerRequest>();
    const provider = createOpenAICompatible({ name: "scripted", baseURL: env.OPENAI_BASE_URL });
    return streamText({ model: provider(model), messages }).toUIMessageStreamResponse();
  },
} satisfies ExportedHandler<PeerEnv>;
