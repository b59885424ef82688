/**
 * Owns the translation of a provider's failure into ours. What the provider wrote is looked at and
 * dropped: it may hold keys, prompts or host names (I9). Only its status, its `retry-after` and
 * codes from a short list go further.
 */
import { APIConnectionError, APIError } from "openai";
import { MAX_RETRY_AFTER_S } from "../protocol/limits.ts";
import { type ErrorCode, SluiceError, describeError } from "../protocol/errors.ts";

/** Codes a client can act on; anything else a provider calls its error stays here. */
const KNOWN_CODES: ReadonlySet<string> = new Set([
  "content_filter",
  "content_policy_violation",
  "context_length_exceeded",
  "image_parse_error",
  "insufficient_quota",
  "invalid_image",
  "invalid_image_url",
  "invalid_prompt",
  "invalid_value",
  "missing_required_parameter",
  "model_not_found",
  "rate_limit_exceeded",
  "string_above_max_length",
  "tokens_exceeded",
  "unknown_parameter",
  "unsupported_parameter",
  "unsupported_value",
]);

/** What went wrong at the provider, from whatever the attempt threw. */
export function toUpstreamError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  if (thrown instanceof APIConnectionError) {
    return new SluiceError("upstream_unavailable", { cause: thrown });
  }
  if (thrown instanceof APIError && typeof thrown.status === "number") {
    return fromStatus(thrown.status, {
      code: thrown.code,
      headers: thrown.headers as Headers | undefined,
      cause: thrown,
    });
  }
  return new SluiceError("upstream_unavailable", { cause: thrown });
}

/**
 * The error inside a body or an event: OpenAI's `{"error": {…}}`, `{"error": "text"}`, or a bare
 * `{"message", "code"}` under an event named `error`.
 */
export function readUpstreamError(body: Record<string, unknown>): SluiceError {
  const inner = body["error"] ?? body;
  if (typeof inner !== "object" || inner === null) return new SluiceError("upstream_unavailable");
  const { code, type, status } = inner as Record<string, unknown>;
  // Some write the status as text.
  const numeric = [code, status].map(Number).find((value) => value >= 400 && value < 600);
  if (numeric !== undefined) return fromStatus(numeric, { code });
  if (code === "rate_limit_exceeded" || type === "rate_limit_error") {
    return fromStatus(429, { code });
  }
  if (type === "invalid_request_error") return fromStatus(400, { code });
  return new SluiceError("upstream_unavailable", withCode(code));
}

/** Whether another provider, or the same one a little later, may do better. */
export function isWorthRetrying(error: SluiceError): boolean {
  return error.code.startsWith("upstream_") && describeError(error.code).retryable;
}

interface Occurrence {
  readonly code?: unknown;
  readonly headers?: Headers | undefined;
  readonly cause?: unknown;
}

function fromStatus(status: number, { code, headers, cause }: Occurrence): SluiceError {
  const explain = (ours: ErrorCode): string => `${describeError(ours).title} (HTTP ${status})`;
  const facts = { ...withCode(code), cause };
  if (status === 429) {
    const retryAfter = parseRetryAfter(headers);
    return new SluiceError("upstream_rate_limited", {
      ...facts,
      detail: explain("upstream_rate_limited"),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    });
  }
  if (status === 401 || status === 403) {
    return new SluiceError("upstream_auth", { detail: explain("upstream_auth"), cause });
  }
  // 408 and 409 are the provider's own trouble: it asks to be tried again.
  if (status === 408 || status === 409 || status >= 500 || status < 400) {
    return new SluiceError("upstream_unavailable", {
      ...facts,
      detail: explain("upstream_unavailable"),
    });
  }
  return new SluiceError("upstream_rejected", { ...facts, detail: explain("upstream_rejected") });
}

function withCode(code: unknown): { upstreamCode?: string } {
  return typeof code === "string" && KNOWN_CODES.has(code) ? { upstreamCode: code } : {};
}

/**
 * Seconds from `retry-after-ms` or `retry-after` (RFC 9110 §10.2.3: seconds, or a date, which is
 * held against the provider's own clock); undefined for anything else.
 */
function parseRetryAfter(headers: Headers | undefined): number | undefined {
  const ms = headers?.get("retry-after-ms") ?? "";
  if (/^\d+(\.\d+)?$/.test(ms)) return Math.min(Number(ms) / 1000, MAX_RETRY_AFTER_S);
  const text = headers?.get("retry-after") ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Number(text), MAX_RETRY_AFTER_S);
  const seconds = (Date.parse(text) - Date.parse(headers?.get("date") ?? "")) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), MAX_RETRY_AFTER_S) : undefined;
}
