/**
 * Owns what a chat request may be: its shape, and what the operator forbids. Everything it does not
 * name passes through to the provider untouched. Refuses to know about HTTP.
 */
import * as v from "valibot";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_MESSAGES, MAX_METADATA_CHARS } from "../protocol/limits.ts";

const tokenCount = v.nullish(
  v.pipe(
    v.number("must be a number"),
    v.integer("must be a whole number"),
    v.minValue(1, "must be 1 or more"),
  ),
);

const chatRequestSchema = v.looseObject(
  {
    model: v.optional(
      v.pipe(
        v.string("must be a string"),
        v.minLength(1, "must not be empty"),
        v.maxLength(256, "must have 256 characters at most"),
      ),
    ),
    messages: v.pipe(
      v.array(
        v.looseObject(
          { role: v.pipe(v.string("must be a string"), v.minLength(1, "must not be empty")) },
          ({ received }) => (received === "undefined" ? "is missing" : "must be an object"),
        ),
        "must be an array of messages",
      ),
      v.minLength(1, "must hold a message"),
      v.maxLength(MAX_MESSAGES, `must hold ${MAX_MESSAGES} messages at most`),
    ),
    stream: v.nullish(v.boolean("must be true or false")),
    // Else "true" would be an answer that is lost without a word.
    store: v.nullish(v.boolean("must be true or false")),
    n: v.nullish(v.number("must be a number")),
    max_tokens: tokenCount,
    max_completion_tokens: tokenCount,
    stream_options: v.nullish(v.looseObject({}, "must be an object")),
  },
  ({ received }) => (received === "undefined" ? "is missing" : "must be a JSON object"),
);

/** What shall become of the answer when nobody watches it: ours to read, and no provider's. */
export const WHEN_ABANDONED_FIELD = "when_abandoned";

/** Fields by which some providers let a request name further models, past the list. */
const MODEL_CHOOSERS = ["models", "route", "fallbacks"] as const;

/** A request as it goes to the provider. */
export interface ChatRequest {
  readonly [field: string]: unknown;
  readonly model: string;
  readonly messages: readonly { readonly role: string }[];
  readonly stream: boolean;
}

/** What the operator allows. */
export interface RequestPolicy {
  /** Used when the request names no model. */
  readonly defaultModel: string;
  /** The models that may be asked for; `any` when the provider shall decide. */
  readonly models: Pick<ReadonlySet<string>, "has"> | "any";
  /** The most tokens an answer may ask for, and what a request that names none is given. */
  readonly maxTokens: number | undefined;
}

/**
 * Checks a request body and completes it by the operator's policy.
 *
 * @throws SluiceError `invalid_request` with the offending field in `param`, `model_not_allowed`,
 *   `too_many_tokens`, `too_many_choices`.
 */
export function parseChatRequest(body: unknown, policy: RequestPolicy): ChatRequest {
  const result = v.safeParse(chatRequestSchema, body);
  if (!result.success) {
    const [issue] = result.issues;
    const path = v.getDotPath(issue);
    throw new SluiceError("invalid_request", {
      detail: `${path ?? "The body"} ${issue.message}.`,
      ...(path === null ? {} : { param: path }),
    });
  }
  const request = result.output;
  // It lies in the answer's record, which is one row.
  if (request.store === true && charsOf(request["metadata"]) > MAX_METADATA_CHARS) {
    throw new SluiceError("invalid_request", {
      detail: `metadata of a stored answer may have ${MAX_METADATA_CHARS} characters of JSON at most.`,
      param: "metadata",
    });
  }
  // With several choices, clients that read the first choice of a chunk get them mixed up.
  if (request.n !== undefined && request.n !== null && request.n !== 1) {
    throw new SluiceError("too_many_choices", { param: "n" });
  }
  const model = request.model ?? policy.defaultModel;
  checkModel(request, model, policy.models);
  const { [WHEN_ABANDONED_FIELD]: _ours, ...theirs } = request;
  return {
    ...theirs,
    ...limitTokens(request, policy.maxTokens),
    model,
    stream: request.stream ?? false,
  };
}

function charsOf(value: unknown): number {
  return value === undefined ? 0 : JSON.stringify(value).length;
}

function checkModel(
  request: Readonly<Record<string, unknown>>,
  model: string,
  allowed: RequestPolicy["models"],
): void {
  if (allowed === "any") return;
  const chooser = MODEL_CHOOSERS.find((field) => (request[field] ?? null) !== null);
  const param = allowed.has(model) ? chooser : "model";
  if (param !== undefined) throw new SluiceError("model_not_allowed", { param });
}

function limitTokens(
  request: v.InferOutput<typeof chatRequestSchema>,
  ceiling: number | undefined,
): { max_completion_tokens?: number } {
  if (ceiling === undefined) return {};
  for (const param of ["max_completion_tokens", "max_tokens"] as const) {
    const asked = request[param];
    if (asked !== undefined && asked !== null) {
      if (asked <= ceiling) continue;
      throw new SluiceError("too_many_tokens", {
        detail: `${param} may be ${ceiling} at most.`,
        param,
      });
    }
  }
  const named = (request.max_completion_tokens ?? request.max_tokens ?? undefined) !== undefined;
  return named ? {} : { max_completion_tokens: ceiling };
}
