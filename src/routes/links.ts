/** Owns making links by which one answer can be read without a token. Refuses to know how they are signed. */
import { Hono } from "hono";
import * as v from "valibot";
import { signLink } from "../auth/read-link.ts";
import { SluiceError } from "../protocol/errors.ts";
import { LINK_TTL_S, MAX_LINK_TTL_S } from "../protocol/limits.ts";
import type { AppContext, AppEnv } from "./app-env.ts";
import { findGeneration } from "./generations.ts";
import { readOptionalJson } from "./read-json.ts";

const linkSchema = v.strictObject({
  expiresIn: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_LINK_TTL_S)),
    LINK_TTL_S,
  ),
});

export function linkRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>().post("/v1/chat/completions/:id/links", async (c) => await makeLink(c));
}

async function makeLink(c: AppContext): Promise<Response> {
  // Who was given a link does not give it on with more time.
  if (c.var.principal.kind === "link") throw new SluiceError("forbidden");
  const { id, description } = await findGeneration(c, "read");
  const parsed = v.safeParse(linkSchema, await readOptionalJson(c));
  if (!parsed.success) {
    throw new SluiceError("invalid_request", {
      detail: `Expected {expiresIn?: 1 to ${MAX_LINK_TTL_S} seconds}.`,
    });
  }
  const { config, deps } = c.var;
  const { rules, linkSecret } = config.auth;
  const url = new URL(`/v1/chat/completions/${id}/events`, c.req.url);
  // Where only this machine is served, everybody reads everything, and no link ends.
  if (rules.kind === "none") return c.json({ url: url.href }, 201);
  if (linkSecret === undefined) {
    throw new SluiceError("not_configured", {
      detail: "Links to answers need the variable LINK_SECRET.",
    });
  }
  const expiresAt = Math.floor(deps.clock.now() / 1_000) + parsed.output.expiresIn;
  const { epoch } = description;
  url.searchParams.set("link", await signLink({ generation: id, epoch, expiresAt }, linkSecret));
  return c.json({ url: url.href, expiresAt: new Date(expiresAt * 1_000).toISOString() }, 201);
}
