/** Owns `POST /api/chat`: the simplest way to a streamed answer. */
import { Hono } from "hono";
import { simpleDialect } from "../llm/dialects/simple.ts";
import { parseChatRequest } from "../llm/request.ts";
import { policyOf, respondWithAnswer } from "./answer.ts";
import type { AppEnv } from "./app-env.ts";
import { readJson } from "./read-json.ts";

export function chatRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/api/chat", async (c) => {
    const request = parseChatRequest(await readJson(c), policyOf(c));
    return await respondWithAnswer(c, { ...request, stream: true }, simpleDialect);
  });
}
