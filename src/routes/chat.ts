/** Owns `POST /api/chat`: the simplest way to a streamed answer, which survives a reload. */
import { Hono } from "hono";
import { simpleDialect } from "../llm/dialects/simple.ts";
import { parseChatRequest } from "../llm/request.ts";
import { policyOf } from "./answer.ts";
import type { AppEnv } from "./app-env.ts";
import { readWhenAbandoned, startGeneration } from "./generation-start.ts";
import { respondWithGenerationEvents } from "./generation-viewer.ts";
import { readJson } from "./read-json.ts";

export function chatRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/api/chat", async (c) => {
    const body = await readJson(c);
    const request = parseChatRequest(body, policyOf(c));
    const whenAbandoned = readWhenAbandoned(c, c.var.config.generations.whenAbandoned.chat);
    const viewed = await startGeneration(c, { request, body, whenAbandoned });
    return await respondWithGenerationEvents(c, viewed, {
      dialect: simpleDialect,
      withIds: true,
      showsUsage: false,
    });
  });
}
