/**
 * Owns `POST /v1/chat/completions`: OpenAI's request and response, from the provider's hand into the
 * client's, or, when it shall last, from a generation.
 */
import { Hono } from "hono";
import { openaiDialect } from "../llm/dialects/openai.ts";
import { type ChatRequest, parseChatRequest } from "../llm/request.ts";
import { admitAsk, readAnswer, respondWithAnswer } from "./answer.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { idempotencyKey, readWhenAbandoned, startGeneration } from "./generation-start.ts";
import {
  GENERATION_HEADER,
  readWholeAnswer,
  respondWithGenerationEvents,
} from "./generation-viewer.ts";
import { readJson } from "./read-json.ts";

export function completionRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/chat/completions", async (c) => {
    const policy = admitAsk(c);
    const body = await readJson(c);
    const request = parseChatRequest(body, policy);
    if (isDurable(c, request)) return await answerDurably(c, request, body);
    if (request.stream) return await respondWithAnswer(c, request, openaiDialect);
    const json = await readAnswer(c, request);
    return c.body(json, 200, { "content-type": "application/json", "cache-control": "no-store" });
  });
}

/** A key that makes repeating harmless needs something to find again. */
function isDurable(c: AppContext, request: ChatRequest): boolean {
  const preferred = c.req.header("prefer")?.split(",") ?? [];
  return (
    request["store"] === true ||
    preferred.some((preference) => preference.trim().toLowerCase() === "durable") ||
    idempotencyKey(c) !== undefined
  );
}

async function answerDurably(
  c: AppContext,
  request: ChatRequest,
  body: unknown,
): Promise<Response> {
  const { store } = c.var.config.generations.whenAbandoned;
  const whenAbandoned = readWhenAbandoned(c, body, store);
  const viewed = await startGeneration(c, { request, body, whenAbandoned });
  if (request.stream) {
    return await respondWithGenerationEvents(c, viewed, {
      dialect: openaiDialect,
      withIds: true,
      showsUsage: viewed.description.includeUsage,
    });
  }
  c.header(GENERATION_HEADER, viewed.id);
  c.header("cache-control", "no-store");
  return c.json(await readWholeAnswer(c, viewed));
}
