/**
 * Owns `/api/chat`: the simplest way to a streamed answer, and the one that `useChat` takes. Answers
 * survive a reload.
 */
import { Hono } from "hono";
import * as v from "valibot";
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import type { Capability } from "../protocol/capabilities.ts";
import { simpleDialect } from "../llm/dialects/simple.ts";
import { UI_MESSAGE_HEADERS, UiMessageDialect } from "../llm/dialects/ui-message.ts";
import { parseChatRequest, type RequestPolicy } from "../llm/request.ts";
import { isUiBody, parseUiRequest } from "../llm/ui-request.ts";
import { admitAsk } from "./answer.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { accepts } from "./format-wanted.ts";
import { openGeneration, ownerOf, readWhenAbandoned, startGeneration } from "./generation-start.ts";
import { respondWithGenerationEvents, type Viewed } from "./generation-viewer.ts";
import { requireAccess } from "./require-access.ts";
import { readJson, readOptionalJson } from "./read-json.ts";

export function chatRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/api/chat", async (c) => {
      const policy = admitAsk(c);
      const body = await readJson(c);
      return isUiBody(body) ? await answerUi(c, body, policy) : await answerSimply(c, body, policy);
    })
    .get("/api/chat/:chat/stream", async (c) => {
      const named = c.req.query("generation");
      const viewed = named === undefined ? await findActive(c, "read") : await findNamed(c, named);
      return viewed === undefined ? c.body(null, 204) : await respondWithUiMessage(c, viewed);
    })
    .post("/api/chat/:chat/stop", async (c) => await stop(c));
}

async function answerSimply(
  c: AppContext,
  body: unknown,
  policy: RequestPolicy,
): Promise<Response> {
  const request = parseChatRequest(body, policy);
  const viewed = await startGeneration(c, { request, body, whenAbandoned: readPolicy(c, body) });
  return await respondWithGenerationEvents(c, viewed, {
    dialect: simpleDialect,
    // Who does not say that it reads event streams may well split at blank lines and take what follows
    // `data: ` for JSON; for those an event is one line.
    withIds: accepts(c, "sse"),
    showsUsage: false,
  });
}

async function answerUi(c: AppContext, body: unknown, policy: RequestPolicy): Promise<Response> {
  const { chat, messageId, body: translated } = parseUiRequest(body);
  const request = parseChatRequest(translated, policy);
  const whenAbandoned = readPolicy(c, body);
  const viewed = await startGeneration(c, { request, body, whenAbandoned, chat, messageId });
  return await respondWithUiMessage(c, viewed);
}

/** Always from the message's start: `useChat` sends no position when it comes back. */
async function respondWithUiMessage(c: AppContext, viewed: Viewed): Promise<Response> {
  const { id, description } = viewed;
  return await respondWithGenerationEvents(c, viewed, {
    dialect: new UiMessageDialect(description.messageId ?? id, { generation: id }),
    withIds: false,
    showsUsage: true,
    headers: UI_MESSAGE_HEADERS,
  });
}

const stopSchema = v.object({ activeStreamId: v.nullish(v.string()) });

/** Stops what is being written for a chat; a stop that is meant for an earlier answer does nothing. */
async function stop(c: AppContext): Promise<Response> {
  const asked = v.safeParse(stopSchema, await readOptionalJson(c));
  const wanted = asked.success ? asked.output.activeStreamId : undefined;
  const viewed = await findActive(c, "cancel");
  if (viewed === undefined || (wanted ?? viewed.id) !== viewed.id) {
    return c.json({ stopped: false, activeStreamId: viewed?.id ?? null });
  }
  unwrap(await viewed.stub.cancel(ownerOf(c.var.principal)));
  return c.json({ stopped: true, activeStreamId: null });
}

/** The answer that is being written for the caller's chat of this name. */
async function findActive(c: AppContext, capability: Capability): Promise<Viewed | undefined> {
  const owner = ownerOf(c.var.principal);
  const id = await c.env.GENERATION_INDEX.getByName(owner).activeIn(c.req.param("chat") ?? "");
  // Chats are their caller's own; one without an answer is asked about as an answer to come.
  if (id === undefined) {
    requireAccess(c, "generations", "new", capability);
    return undefined;
  }
  const stub = openGeneration(c, id, capability);
  const found = await stub.describe(owner);
  if (!found.ok || found.value.end !== undefined) return undefined;
  return { id, stub, description: found.value };
}

/** An answer of the caller's, ended or not: who has read a part of it has a right to the rest. */
async function findNamed(c: AppContext, id: string): Promise<Viewed> {
  const stub = openGeneration(c, id, "read");
  return { id, stub, description: unwrap(await stub.describe(ownerOf(c.var.principal))) };
}

function readPolicy(c: AppContext, body: unknown): ReturnType<typeof readWhenAbandoned> {
  return readWhenAbandoned(c, body, c.var.config.generations.whenAbandoned.chat);
}
