/** Owns the door of the example job. Refuses to know how it runs. */
import { Hono } from "hono";
import * as v from "valibot";
import { SluiceError } from "../protocol/errors.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { requireAccess } from "./require-access.ts";
import { readOptionalJson } from "./read-json.ts";

const MAX_STEPS = 100;
const MAX_STEP_MS = 60_000;

const demoSchema = v.strictObject({
  steps: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_STEPS)), 5),
  stepMs: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_STEP_MS)),
    1_000,
  ),
  fails: v.optional(v.boolean(), false),
});

export function jobRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/jobs/demo", async (c) => await startDemo(c));
}

async function startDemo(c: AppContext): Promise<Response> {
  const job = c.var.deps.newId();
  const topic = `job:${job}`;
  // Running it is not publishing: nobody but the job writes its progress.
  requireAccess(c, "topics", topic, "run");
  const parsed = v.safeParse(demoSchema, await readOptionalJson(c));
  if (!parsed.success) {
    throw new SluiceError("invalid_request", {
      detail: `Expected {steps?: 1 to ${MAX_STEPS}, stepMs?: 0 to ${MAX_STEP_MS}, fails?}.`,
    });
  }
  await c.env.JOBS.getByName(job).start({ ...parsed.output, topic });
  const events = `/v1/topics/${topic}?format=sse`;
  return c.json({ job, topic, events }, 202, { location: events });
}
