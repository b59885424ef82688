/**
 * Owns stored answers as resources: looked at, watched, stopped, asked again, deleted. Refuses to know
 * how they are asked for first.
 */
import { Hono } from "hono";
import { type Description, endingOf } from "../../durable-objects/generation/description.ts";
import { unwrap } from "../../durable-objects/platform/outcome.ts";
import type { Dialect } from "../llm/dialects/dialect.ts";
import { openaiDialect } from "../llm/dialects/openai.ts";
import { simpleDialect } from "../llm/dialects/simple.ts";
import { type EventPosition, parseEventId } from "../llm/render-stored.ts";
import { SluiceError } from "../protocol/errors.ts";
import { formatPosition } from "../protocol/position.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { goOn, restart } from "./generation-again.ts";
import { openGeneration, ownerOf } from "./generation-start.ts";
import { readEndedAnswer, respondWithGenerationEvents, type Viewed } from "./generation-viewer.ts";

/** Seconds after which it makes sense to ask again for an answer that is being written. */
const RETRY_AFTER_S = "1";

export function generationRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/v1/chat/completions/:id", async (c) => await show(c, await find(c)))
    .get("/v1/chat/completions/:id/stats", async (c) => {
      const { stub } = await find(c);
      return c.json(unwrap(await stub.stats(ownerOf(c.var.principal))));
    })
    .get("/v1/chat/completions/:id/events", async (c) => await watch(c, openaiDialect))
    .get("/api/chat/:id/events", async (c) => await watch(c, simpleDialect))
    .post("/v1/chat/completions/:id/cancel", async (c) => {
      const { id, stub } = await find(c);
      const description = unwrap(await stub.cancel(ownerOf(c.var.principal)));
      return c.json(describe(id, description));
    })
    .post("/v1/chat/completions/:id/restart", async (c) => await restart(c, await find(c)))
    .post("/v1/chat/completions/:id/continue", async (c) => await goOn(c, await find(c)))
    .delete("/v1/chat/completions/:id", async (c) => {
      const { id, stub } = await find(c);
      unwrap(await stub.remove(ownerOf(c.var.principal)));
      return c.json({ id, object: "chat.completion.deleted", deleted: true });
    });
}

async function find(c: AppContext): Promise<Viewed> {
  const id = c.req.param("id") ?? "";
  const stub = openGeneration(c, id);
  return { id, stub, description: unwrap(await stub.describe(ownerOf(c.var.principal))) };
}

async function show(c: AppContext, viewed: Viewed): Promise<Response> {
  const { id, description } = viewed;
  if (description.end === undefined) {
    c.header("retry-after", RETRY_AFTER_S);
    return c.json(describe(id, description), 202);
  }
  const answer = await readEndedAnswer(c, viewed);
  return c.json({ ...describe(id, description), ...answer, id });
}

async function watch(c: AppContext, dialect: Dialect): Promise<Response> {
  const viewed = await find(c);
  const { description } = viewed;
  const text = c.req.header("last-event-id") ?? c.req.query("lastEventId");
  const from = text === undefined ? undefined : requireEventId(text, description);
  // Who has the end needs nothing more; to an EventSource this says not to come back.
  if (from !== undefined && from.seq > description.tail) return c.body(null, 204);
  return await respondWithGenerationEvents(c, viewed, {
    dialect,
    from,
    withIds: true,
    showsUsage: description.includeUsage,
  });
}

/**
 * The place that an event's id means in this generation.
 *
 * @throws SluiceError `bad_position` for one that no event of it had.
 */
function requireEventId(text: string, { epoch, tail, end }: Description): EventPosition {
  const position = parseEventId(text);
  if (position === undefined || position.epoch !== epoch) return refuse();
  // The end has a place of its own, and no parts.
  const last = position.part === 0 && end !== undefined ? tail + 1 : tail;
  const { seq } = position;
  return (position.part === 0 ? seq : seq + 1) > last ? refuse() : position;
}

function refuse(): never {
  throw new SluiceError("bad_position", { param: "Last-Event-ID" });
}

/** A generation without its answer. */
function describe(id: string, description: Description): Record<string, unknown> {
  const { model, startedAt, metadata, follows, followedBy, said, epoch, tail, end } = description;
  const ending = end === undefined ? undefined : endingOf(end);
  return {
    id,
    object: "chat.completion",
    created: Math.floor(startedAt / 1000),
    model,
    choices: [],
    ...(ending === undefined ? {} : { usage: ending.usage }),
    metadata: metadata === null ? null : (JSON.parse(metadata) as unknown),
    generation: {
      state: end?.outcome ?? "running",
      position: formatPosition({ epoch, seq: tail }),
      started_at: startedAt,
      ended_at: end?.at ?? null,
      follows,
      followed_by: followedBy,
      // The last event of those that say again what the followed one had said.
      continues_after: said === 0 ? null : formatPosition({ epoch, seq: said }),
      error: ending?.error === undefined || ending.error === null ? null : ending.error,
    },
  };
}
