/**
 * Owns what the chat routes share: a request, the client's presence and the operator's limits become
 * an answer. Refuses to know the path and the body that asked for it.
 */
import { mayUseModel } from "../auth/grants.ts";
import { type AnswerContext, completeAnswer, streamAnswer } from "../llm/answer.ts";
import { type Dialect, renderAnswer } from "../llm/dialects/dialect.ts";
import type { ChatRequest, RequestPolicy } from "../llm/request.ts";
import { describeFailedAttempt } from "../llm/failed-attempt.ts";
import type { SluiceError } from "../protocol/errors.ts";
import { COMMIT_AFTER_MS } from "../protocol/limits.ts";
import { respondWithEvents } from "../sse/response.ts";
import { openScope } from "../stream/abort.ts";
import { peek } from "../stream/peek.ts";
import type { AppContext } from "./app-env.ts";
import { requireAccess } from "./require-access.ts";
import { openMeter } from "./token-quota.ts";

/** What `run` is asked about: an answer that is not yet has no name of its own. */
const NEW = "new";

/**
 * The rules for a request of a caller who may have an answer: the operator's and the token's.
 *
 * @throws SluiceError `forbidden`.
 */
export function admitAsk(c: AppContext): RequestPolicy {
  requireAccess(c, "generations", NEW, "run");
  const { config, principal } = c.var;
  const { defaultModel, models, maxTokens } = config;
  if (principal.kind !== "subject") return { defaultModel, models, maxTokens };
  const { access } = principal;
  return {
    defaultModel,
    models:
      access.models === undefined
        ? models
        : {
            has: (model) =>
              (models === "any" || models.has(model)) && mayUseModel(access.models, model),
          },
    maxTokens: least(maxTokens, access.maxTokens),
  };
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** Everything an answer needs, to end when `signal` aborts. */
function answerContext(
  { var: { deps, config, requestId } }: AppContext,
  signal: AbortSignal,
): AnswerContext {
  return {
    signal,
    clock: deps.clock,
    random: deps.random,
    upstreams: deps.upstreams(config),
    limits: config.answer,
    onFailedAttempt: (upstream, error) => {
      deps.log({ ...describeFailedAttempt(upstream, error), requestId });
    },
  };
}

/**
 * Streams an answer in a format. A failure within {@link COMMIT_AFTER_MS} is an HTTP error (so that
 * a client's own handling of status codes works); a later one is an event.
 *
 * @throws SluiceError for a failure in time.
 */
export async function respondWithAnswer(
  c: AppContext,
  request: ChatRequest,
  dialect: Dialect,
): Promise<Response> {
  const { deps, config, requestId } = c.var;
  // Three ways to learn that the client has gone: the request's signal, cancel(), a failed write.
  const scope = openScope(c.req.raw.signal);
  try {
    const answer = streamAnswer(request, answerContext(c, scope.signal));
    // Last before it is read: what the meter holds is given back by the reading's end.
    const meter = await openMeter(c, request);
    const batches = await peek(meter.stream(answer), {
      patienceMs: COMMIT_AFTER_MS,
      clock: deps.clock,
    });
    const report = ({ code, detail }: SluiceError): void => {
      deps.log({ level: "error", code, detail, requestId });
    };
    return respondWithEvents(renderAnswer(batches, dialect, { signal: scope.signal, report }), {
      clock: deps.clock,
      keepaliveMs: config.keepaliveMs,
      abort: scope.abort,
      signal: scope.signal,
    });
  } catch (error) {
    scope[Symbol.dispose]();
    throw error;
  }
}

/**
 * The whole answer as the provider's JSON text.
 *
 * @throws SluiceError why there is none.
 */
export async function readAnswer(c: AppContext, request: ChatRequest): Promise<string> {
  const meter = await openMeter(c, request);
  let json: string | undefined;
  try {
    json = await completeAnswer(request, answerContext(c, c.req.raw.signal));
    return json;
  } finally {
    meter.settle(json);
  }
}
