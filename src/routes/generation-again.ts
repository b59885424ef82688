/**
 * Owns asking for an answer again that has ended: from its beginning, or from where it broke off.
 * Both are new generations that name the one that they follow. Refuses to do either by itself.
 */
import { endingOf } from "../../durable-objects/generation/description.ts";
import type { GenerationRecord } from "../../durable-objects/generation/record.ts";
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import { isRecord } from "../llm/chunk.ts";
import { continueAnswer } from "../llm/continuation.ts";
import { openaiDialect } from "../llm/dialects/openai.ts";
import { type ChatRequest, parseChatRequest, type RequestPolicy } from "../llm/request.ts";
import { SluiceError } from "../protocol/errors.ts";
import type { AppContext } from "./app-env.ts";
import { type Ask, ownerFor, readWhenAbandoned, startGeneration } from "./generation-start.ts";
import { readEndedAnswer, respondWithGenerationEvents, type Viewed } from "./generation-viewer.ts";
import { readOptionalJson } from "./read-json.ts";

/** Asks the same once more. */
export async function restart(
  c: AppContext,
  viewed: Viewed,
  policy: RequestPolicy,
): Promise<Response> {
  const { request, record } = await readRequest(c, viewed);
  // It was allowed then, to whoever asked.
  return await askAgain(c, viewed, {
    request: parseChatRequest(request, policy),
    record,
    body: { restart: viewed.id },
  });
}

/**
 * Goes on where an answer broke off: the new one begins with its text.
 *
 * @throws SluiceError `generation_running`, `generation_not_continuable`.
 */
export async function goOn(
  c: AppContext,
  viewed: Viewed,
  policy: RequestPolicy,
): Promise<Response> {
  const body = await readOptionalJson(c);
  if (!isRecord(body)) throw new SluiceError("invalid_request");
  // Some providers want to be told that the last message is not over, in it or beside it.
  const { prefix, ...fields } = body;
  const marks = prefix === undefined ? {} : { prefix };
  const { request, record } = await readRequest(c, viewed);
  const { end } = viewed.description;
  // One that was too long for the request's limit is complete by name only.
  if (end?.outcome === "completed" && endingOf(end).finishReason !== "length") {
    throw new SluiceError("generation_not_continuable", { detail: "It is complete." });
  }
  const answer = await readEndedAnswer(c, viewed);
  const isContinuation = record.said > 0;
  const { messages, said } = continueAnswer({ request, isContinuation, answer }, marks);
  const before = LIMITS.some((limit) => limit in fields) ? withoutLimits(request) : request;
  return await askAgain(c, viewed, {
    request: parseChatRequest({ ...before, ...fields, messages, stream: true }, policy),
    record,
    body: { continue: viewed.id, ...body },
    said,
  });
}

/** The two names for the most tokens; most providers take one of them only. */
const LIMITS = ["max_tokens", "max_completion_tokens"] as const;

function withoutLimits(request: ChatRequest): Record<string, unknown> {
  const { max_tokens: _old, max_completion_tokens: _new, ...rest } = request;
  return rest;
}

interface Again extends Pick<Ask, "request" | "body" | "said"> {
  /** Of the generation that is followed. */
  readonly record: GenerationRecord;
}

async function readRequest(
  c: AppContext,
  { id, stub }: Viewed,
): Promise<{ readonly request: ChatRequest; readonly record: GenerationRecord }> {
  const { request, record } = unwrap(await stub.requestOf(ownerFor(c, id)));
  return { request: JSON.parse(request) as ChatRequest, record };
}

async function askAgain(
  c: AppContext,
  { id, stub }: Viewed,
  { request, record, body, said }: Again,
): Promise<Response> {
  const { includeUsage, metadata, whenAbandoned } = record;
  const viewed = await startGeneration(c, {
    request: {
      ...request,
      stream_options: { include_usage: includeUsage },
      ...(metadata === null ? {} : { store: true, metadata: JSON.parse(metadata) as unknown }),
    },
    body,
    whenAbandoned: readWhenAbandoned(c, body, whenAbandoned),
    follows: id,
    said,
  });
  c.executionCtx.waitUntil(stub.followedBy(ownerFor(c, id), viewed.id));
  return await respondWithGenerationEvents(c, viewed, {
    dialect: openaiDialect,
    withIds: true,
    showsUsage: includeUsage,
    headers: { "sluice-follows": id },
  });
}
