/** Owns `GET /healthz`: whether this deployment is able to serve. */
import { Hono } from "hono";
import type { AppEnv } from "./app-env.ts";

/** Answers 200 when the configuration is valid; the guards before it answer 503 when it is not. */
export function healthRoutes(): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/healthz", (c) =>
    c.json(
      { status: "ok", upstream: c.var.config.upstreams.length === 0 ? "demo" : "configured" },
      200,
      { "cache-control": "no-store" },
    ),
  );
}
