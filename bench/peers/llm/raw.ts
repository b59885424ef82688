/** Owns the peer that looks at nothing: the runtime moves the bytes, no JavaScript runs for them. */
import type { PeerEnv } from "./environment.ts";

export default {
  fetch: (request, env) => fetch(`${env.OPENAI_BASE_URL}/chat/completions`, request),
} satisfies ExportedHandler<PeerEnv>;
