/** Owns what every route finds on its context. */
import type { Context } from "hono";
import type { RequestIdVariables } from "hono/request-id";
import type { Principal } from "../auth/principal.ts";
import type { Config, Env } from "../config.ts";
import type { Deps } from "../deps.ts";

export interface AppEnv {
  Bindings: Env;
  Variables: RequestIdVariables & {
    deps: Deps;
    config: Config;
    /** Set on `/v1` and `/api`. */
    principal: Principal;
  };
}

export type AppContext = Context<AppEnv>;
