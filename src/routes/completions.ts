/** Owns `POST /v1/chat/completions`: OpenAI's request and response. */
import { Hono } from "hono";
import { completeAnswer } from "../llm/answer.ts";
import { openaiDialect } from "../llm/dialects/openai.ts";
import { parseChatRequest } from "../llm/request.ts";
import { answerContext, policyOf, respondWithAnswer } from "./answer.ts";
import type { AppEnv } from "./app-env.ts";
import { readJson } from "./read-json.ts";

export function completionRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/chat/completions", async (c) => {
    const request = parseChatRequest(await readJson(c), policyOf(c));
    if (request.stream) return await respondWithAnswer(c, request, openaiDialect);
    const json = await completeAnswer(request, answerContext(c, c.req.raw.signal));
    return c.body(json, 200, { "content-type": "application/json", "cache-control": "no-store" });
  });
}
