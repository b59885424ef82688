/**
 * Owns what is remembered of an answer's end: the error if there was one, what it cost. Written by who
 * wrote the answer, read by who renders it. Refuses to know where it is kept.
 */
import * as v from "valibot";
import { type ErrorCode, isErrorCode, SluiceError } from "../protocol/errors.ts";
import type { Usage } from "./tally.ts";

/** How an answer ended (I6). */
export type Outcome = "completed" | "stopped" | "failed" | "interrupted";

/** What is known of the end besides the outcome. */
export interface Ending {
  /** Set when it failed. */
  readonly error: ErrorFacts | null;
  readonly finishReason: string | null;
  /** The model that answered, by its own account; null when it did not say. */
  readonly model: string | null;
  readonly usage: Usage | null;
  /** Milliseconds until the provider's first chunk. */
  readonly firstChunkMs: number | null;
  /** Milliseconds from the start to the end. */
  readonly durationMs: number;
}

/** The facts of an error that may be shown. */
interface ErrorFacts {
  readonly code: ErrorCode;
  readonly detail: string;
  /** The provider's own code, when it is harmless and useful. */
  readonly upstreamCode: string | null;
  readonly retryAfter: number | null;
}

const usageSchema = v.looseObject({
  prompt_tokens: v.number(),
  completion_tokens: v.number(),
  total_tokens: v.number(),
  estimated: v.exactOptional(v.literal(true)),
});

const endingSchema = v.object({
  error: v.nullable(
    v.object({
      code: v.pipe(
        v.string(),
        // Written by a newer version: what it means is not known here.
        v.transform((code): ErrorCode => (isErrorCode(code) ? code : "internal")),
      ),
      detail: v.string(),
      upstreamCode: v.nullable(v.string()),
      retryAfter: v.nullable(v.number()),
    }),
  ),
  finishReason: v.nullable(v.string()),
  model: v.optional(v.nullable(v.string()), null),
  usage: v.nullable(usageSchema),
  firstChunkMs: v.nullable(v.number()),
  durationMs: v.number(),
});

/** Reads an ending back from its JSON. */
export function parseEnding(json: string): Ending {
  return v.parse(endingSchema, JSON.parse(json));
}

/** The facts of an error, as an ending keeps them. */
export function factsOf(error: SluiceError): ErrorFacts {
  return {
    code: error.code,
    detail: error.detail,
    upstreamCode: error.upstreamCode ?? null,
    retryAfter: error.retryAfter ?? null,
  };
}

/** The error that viewers of an answer meet at its end; undefined when it is complete. */
export function errorOf(outcome: Outcome, { error }: Ending): SluiceError | undefined {
  if (outcome === "completed") return undefined;
  if (outcome === "stopped") return new SluiceError("generation_stopped");
  if (outcome === "interrupted") return new SluiceError("generation_interrupted");
  if (error === null) return new SluiceError("internal");
  return new SluiceError(error.code, {
    detail: error.detail,
    ...(error.upstreamCode === null ? {} : { upstreamCode: error.upstreamCode }),
    ...(error.retryAfter === null ? {} : { retryAfter: error.retryAfter }),
  });
}

/** Reads an outcome; one that a newer version wrote counts as a failure. */
export function parseOutcome(text: string): Outcome {
  return text === "completed" || text === "stopped" || text === "interrupted" ? text : "failed";
}
