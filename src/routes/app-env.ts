/** Owns what every route finds on its context. */
import type { Context } from "hono";
import type { RequestIdVariables } from "hono/request-id";
import type { Principal } from "../auth/principal.ts";
import type { Config, Env } from "../config.ts";
import type { Deps } from "../deps.ts";
import type { Shown } from "../quota/headers.ts";
import type { Ledger } from "../quota/ledger.ts";
import type { Spare } from "./generation-spare.ts";

export interface AppEnv {
  Bindings: Env;
  Variables: RequestIdVariables & {
    deps: Deps;
    config: Config;
    /** Set on `/v1` and `/api`. */
    principal: Principal;
    /** What is left of callers' quotas, as far as this isolate knows. */
    ledger: Ledger;
    /** The object that waits for the next answer. */
    spare: Spare;
    /** The quotas that the request touched, by name. */
    shownQuotas: Map<string, Shown>;
  };
}

export type AppContext = Context<AppEnv>;
