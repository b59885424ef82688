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
import type { Capability } from "../protocol/capabilities.ts";
import { SluiceError } from "../protocol/errors.ts";
import { formatPosition } from "../protocol/position.ts";
import { admitAsk } from "./answer.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { goOn, restart } from "./generation-again.ts";
import { openGeneration, ownerFor } from "./generation-start.ts";
import { readEndedAnswer, respondWithGenerationEvents, type Viewed } from "./generation-viewer.ts";

/** Seconds after which it makes sense to ask again for an answer that is being written. */
const RETRY_AFTER_S = "1";

export function generationRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/v1/chat/completions/:id", async (c) => await show(c, await findGeneration(c, "read")))
    .get("/v1/chat/completions/:id/stats", async (c) => {
      // Whoever was given a link was given the answer, not what it costs.
      if (c.var.principal.kind === "link") throw new SluiceError("forbidden");
      const { id, stub } = await findGeneration(c, "read");
      return c.json(unwrap(await stub.stats(ownerFor(c, id))));
    })
    .get("/v1/chat/completions/:id/events", async (c) => await watch(c, openaiDialect))
    .get("/api/chat/:id/events", async (c) => await watch(c, simpleDialect))
    .post("/v1/chat/completions/:id/cancel", async (c) => {
      const { id, stub } = await findGeneration(c, "cancel");
      const description = unwrap(await stub.cancel(ownerFor(c, id)));
      return c.json(describe(id, description));
    })
    .post("/v1/chat/completions/:id/restart", async (c) => {
      const policy = admitAsk(c);
      return await restart(c, await findGeneration(c, "read"), policy);
    })
    .post("/v1/chat/completions/:id/continue", async (c) => {
      const policy = admitAsk(c);
      return await goOn(c, await findGeneration(c, "read"), policy);
    })
    .delete("/v1/chat/completions/:id", async (c) => {
      // One's own answer; a token that may delete everybody's would be too much for that.
      const { id, stub } = await findGeneration(c, "cancel");
      unwrap(await stub.remove(ownerFor(c, id)));
      return c.json({ id, object: "chat.completion.deleted", deleted: true });
    });
}

/** The answer that the path names, for a caller who may do this to it. */
export async function findGeneration(c: AppContext, capability: Capability): Promise<Viewed> {
  const id = c.req.param("id") ?? "";
  const stub = openGeneration(c, id, capability);
  const description = unwrap(await stub.describe(ownerFor(c, id)));
  const { principal } = c.var;
  if (principal.kind === "link" && principal.epoch !== description.epoch) {
    throw new SluiceError("not_found", { detail: "There is no such answer, or no longer." });
  }
  return { id, stub, description };
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
  const viewed = await findGeneration(c, "read");
  const { description } = viewed;
  // Empty is what a client writes that has no id yet.
  const text = (c.req.header("last-event-id") ?? "") || (c.req.query("lastEventId") ?? "");
  const from = text === "" ? undefined : requireEventId(text, description);
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
