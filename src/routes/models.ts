/**
 * Owns `GET /v1/models`: the models that may be asked for, as OpenAI lists its own. Refuses to ask a
 * provider: what it has and what is offered here are two things.
 */
import { Hono } from "hono";
import { DEMO_MODELS } from "../llm/demo/scenarios.ts";
import { SluiceError } from "../protocol/errors.ts";
import { admitAsk } from "./answer.ts";
import type { AppContext, AppEnv } from "./app-env.ts";

/** A model in OpenAI's shape; nobody here knows when it was made. */
interface Model {
  readonly id: string;
  readonly object: "model";
  readonly created: 0;
  readonly owned_by: string;
}

export function modelRoutes(): Hono<AppEnv> {
  return (
    new Hono<AppEnv>()
      .get("/v1/models", (c) => c.json({ object: "list", data: listed(c).map(describe) }))
      // Many providers have a slash in their models' names.
      .get("/v1/models/:model{.+}", (c) => {
        const model = c.req.param("model");
        const { models } = admitAsk(c);
        if (models !== "any" && !models.has(model)) throw new SluiceError("not_found");
        return c.json(describe(model));
      })
  );
}

/** What the caller may ask for; where that is anything, what is known by name. */
function listed(c: AppContext): readonly string[] {
  const { models: allowed } = admitAsk(c);
  const { models, defaultModel, upstreams } = c.var.config;
  const some = upstreams.length === 0 ? DEMO_MODELS : [defaultModel];
  const known = models === "any" ? some : [...models];
  return known.filter((model) => allowed === "any" || allowed.has(model));
}

function describe(id: string): Model {
  return { id, object: "model", created: 0, owned_by: "sluice" };
}
