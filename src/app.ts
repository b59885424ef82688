/**
 * Owns the order in which a request is looked at: id, settings, host, origin, caller, rate, route; and
 * what is left of its body is dropped.
 * Refuses to know what any route does.
 */
import { Hono } from "hono";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { KeySets } from "./auth/key-set.ts";
import { checkHost } from "./auth/host.ts";
import { isOriginAllowed } from "./auth/origins.ts";
import { type Config, type Env, readConfig } from "./config.ts";
import type { Deps } from "./deps.ts";
import { SluiceError, describeError, toSluiceError } from "./protocol/errors.ts";
import { Ledger } from "./quota/ledger.ts";
import type { AppContext, AppEnv } from "./routes/app-env.ts";
import { brake } from "./routes/brake.ts";
import { establishCaller } from "./routes/caller.ts";
import { chatRoutes } from "./routes/chat.ts";
import { completionRoutes } from "./routes/completions.ts";
import { generationRoutes } from "./routes/generations.ts";
import { Spare } from "./routes/generation-spare.ts";
import { healthRoutes } from "./routes/health.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { linkRoutes } from "./routes/links.ts";
import { modelRoutes } from "./routes/models.ts";
import { countRequest, showQuotas } from "./routes/quota.ts";
import { renderProblem } from "./routes/problem.ts";
import { dropBody } from "./routes/refused-body.ts";
import { checkSize } from "./routes/request-size.ts";
import { roomRoutes } from "./routes/rooms.ts";
import { STREAM_HEADERS } from "./routes/stream-headers.ts";
import { streamRoutes } from "./routes/streams.ts";
import { ticketRoutes } from "./routes/tickets.ts";
import { topicRoutes } from "./routes/topics.ts";

/**
 * Builds the app. All state is in the platform, but for what is read from elsewhere and kept for a
 * while: two apps with the same deps are the same.
 */
export function createApp(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const configs = new WeakMap<Env, Config>();
  const keySets = new KeySets(deps);
  const ledger = new Ledger(deps.clock);
  const spare = new Spare();

  app.use(requestId({ limitLength: 64, generator: deps.newId }));

  app.use(async (c, next) => {
    await next();
    const { status } = c.res;
    // Who asks too often must not be given more work than before.
    if (status === 429 || (status < 400 && c.req.raw.bodyUsed)) return;
    await dropBody(c.req.raw, deps.clock);
  });

  app.use(async (c, next) => {
    let config = configs.get(c.env);
    if (config === undefined) {
      config = readConfig(c.env);
      configs.set(c.env, config);
    }
    checkHost(new URL(c.req.url), c.req.header("host"), config.auth.rules);
    c.set("deps", deps);
    c.set("config", config);
    c.set("ledger", ledger);
    c.set("spare", spare);
    checkSize(c.req.raw);
    await next();
  });

  app.use(
    cors({
      origin: (origin, c: AppContext) => (isPageAllowed(origin, c) ? origin : null),
      allowMethods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
      exposeHeaders: [
        "X-Request-Id",
        "Retry-After",
        "RateLimit",
        "RateLimit-Policy",
        "Sluice-Generation",
        "Sluice-Follows",
        ...STREAM_HEADERS,
      ],
      maxAge: 600,
    }),
  );

  app.use(async (c, next) => {
    const origin = c.req.header("origin");
    // Not reading the answer is no protection: the request itself costs money.
    if (origin !== undefined && !isPageAllowed(origin, c))
      throw new SluiceError("origin_not_allowed");
    await next();
  });

  app.use(showQuotas);

  const requireCaller = async (c: AppContext, next: () => Promise<void>): Promise<void> => {
    const address = c.req.header("cf-connecting-ip");
    // Before the token is looked at: who guesses tokens is braked too.
    if (c.var.config.auth.rules.kind !== "none" && address !== undefined) {
      await brake(c, "address", address);
    }
    const principal = await establishCaller(c, keySets);
    c.set("principal", principal);
    if (principal.kind === "subject") await brake(c, "subject", principal.subject);
    await countRequest(c);
    await next();
  };
  app.use("/v1/*", requireCaller);
  app.use("/api/*", requireCaller);

  app.use(methodNotAllowed({ app, onMethodNotAllowed: refuseMethod }));
  app.route("/", healthRoutes());
  app.route("/", completionRoutes());
  app.route("/", generationRoutes());
  app.route("/", modelRoutes());
  app.route("/", chatRoutes());
  app.route("/", roomRoutes());
  app.route("/", topicRoutes());
  app.route("/", streamRoutes());
  app.route("/", jobRoutes());
  app.route("/", ticketRoutes());
  app.route("/", linkRoutes());

  app.notFound(async (c) => {
    const { pathname } = new URL(c.req.url);
    if (/^\/(v1|api)(\/|$)/.test(pathname) || c.env.ASSETS === undefined) {
      return fail(new SluiceError("not_found"), c);
    }
    const isReading = c.req.method === "GET" || c.req.method === "HEAD";
    // A body that is handed on could not be dropped any more.
    const asked = isReading ? c.req.raw : new Request(c.req.url, { method: "HEAD" });
    const asset = await c.env.ASSETS.fetch(asked);
    if (isReading && asset.status !== 404 && asset.status !== 405) return asset;
    await asset.body?.cancel();
    if (asset.status === 404) return fail(new SluiceError("not_found"), c);
    return refuseMethod(c, ["GET", "HEAD"]);
  });

  app.onError((thrown, c) => fail(toSluiceError(thrown), c));

  function fail(error: SluiceError, c: AppContext): Response {
    const id = c.get("requestId");
    // Of who has left, whatever was waited for fails; that is nobody's mistake, and anybody can do it.
    const isGone = error.code === "internal" && c.req.raw.signal.aborted;
    if (describeError(error.code).status >= 500 && !isGone) {
      deps.log({ level: "error", code: error.code, detail: error.detail, requestId: id });
    }
    return renderProblem(error, { requestId: id, path: c.req.path });
  }

  function refuseMethod(c: AppContext, methods: readonly string[]): Response {
    const response = fail(new SluiceError("method_not_allowed"), c);
    response.headers.set("allow", methods.join(", "));
    return response;
  }

  return app;
}

function isPageAllowed(origin: string, c: AppContext): boolean {
  const { auth, allowedOrigins } = c.var.config;
  return isOriginAllowed(origin, new URL(c.req.url), {
    allowed: allowedOrigins,
    local: auth.rules.kind === "none",
  });
}
