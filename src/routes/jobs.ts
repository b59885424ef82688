/** Owns the doors of the examples: a job, a feed of prices. Refuses to know how they run. */
import { Hono } from "hono";
import * as v from "valibot";
import { SluiceError } from "../protocol/errors.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { countTopics } from "./quota.ts";
import { requireAccess } from "./require-access.ts";
import { readOptionalJson } from "./read-json.ts";

const MAX_STEPS = 100;
const MAX_STEP_MS = 60_000;

/** Ticks of a feed, and milliseconds between two: five minutes at the usual pace. */
const MAX_TICKS = 600;
const MIN_TICK_MS = 50;
const MAX_TICK_MS = 10_000;

const integer = (least: number, most: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

const demoSchema = v.strictObject({
  steps: v.optional(integer(1, MAX_STEPS), 5),
  stepMs: v.optional(integer(0, MAX_STEP_MS), 1_000),
  fails: v.optional(v.boolean(), false),
});

const feedSchema = v.strictObject({
  ticks: v.optional(integer(1, MAX_TICKS), 120),
  tickMs: v.optional(integer(MIN_TICK_MS, MAX_TICK_MS), 500),
});

export function jobRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post("/v1/jobs/demo", async (c) => await startJob(c))
    .post("/v1/feeds/demo", async (c) => await startFeed(c));
}

async function startJob(c: AppContext): Promise<Response> {
  const job = c.var.deps.newId();
  const topic = `job:${job}`;
  // Running it is not publishing: nobody but the job writes its progress.
  requireAccess(c, "topics", topic, "run");
  const plan = await readPlan(
    c,
    demoSchema,
    `{steps?: 1 to ${MAX_STEPS}, stepMs?: 0 to ${MAX_STEP_MS}, fails?}`,
  );
  await countTopics(c, [topic]);
  await c.env.JOBS.getByName(job).start({ kind: "job", topic, ...plan });
  return accepted(c, { job, topic });
}

async function startFeed(c: AppContext): Promise<Response> {
  const feed = c.var.deps.newId();
  const topic = `feed:${feed}`;
  requireAccess(c, "topics", topic, "run");
  const { ticks, tickMs } = await readPlan(
    c,
    feedSchema,
    `{ticks?: 1 to ${MAX_TICKS}, tickMs?: ${MIN_TICK_MS} to ${MAX_TICK_MS}}`,
  );
  await countTopics(c, [topic]);
  await c.env.JOBS.getByName(feed).start({ kind: "feed", topic, ticks, stepMs: tickMs });
  return accepted(c, { feed, topic });
}

/** What the body asks for; a request without one asks for what is usual. */
async function readPlan<S extends v.GenericSchema>(
  c: AppContext,
  schema: S,
  expected: string,
): Promise<v.InferOutput<S>> {
  const parsed = v.safeParse(schema, await readOptionalJson(c));
  if (parsed.success) return parsed.output;
  throw new SluiceError("invalid_request", { detail: `Expected ${expected}.` });
}

function accepted(c: AppContext, started: Readonly<Record<string, string>>): Response {
  const events = `/v1/topics/${started["topic"] ?? ""}?format=sse`;
  return c.json({ ...started, events }, 202, { location: events });
}
