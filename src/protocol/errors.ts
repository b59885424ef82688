/**
 * Owns the one table of errors: what can go wrong, and what it is called on every door.
 * Refuses to know how an error is rendered, and never carries text that Sluice did not write:
 * the cause of an error stays inside the Worker (I9).
 */

/** What an error code means on the wire. */
interface ErrorEntry {
  /** HTTP status when the error is the whole answer. */
  readonly status: number;
  /** One sentence for people; the default `detail`. */
  readonly title: string;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** `error.type` in OpenAI's vocabulary, which its clients show and switch on. */
  readonly openaiType:
    | "invalid_request_error"
    | "authentication_error"
    | "rate_limit_error"
    | "server_error";
}

const entry = (
  status: number,
  openaiType: ErrorEntry["openaiType"],
  retryable: boolean,
  title: string,
): ErrorEntry => ({ status, title, retryable, openaiType });

const refuse = (status: number, title: string): ErrorEntry =>
  entry(status, "invalid_request_error", false, title);
const fail = (status: number, title: string, retryable = true): ErrorEntry =>
  entry(status, "server_error", retryable, title);

const ERRORS = {
  // What the caller can mend.
  invalid_json: refuse(400, "The request body is not valid JSON."),
  invalid_request: refuse(400, "The request is not valid."),
  unsupported_encoding: refuse(415, "A request body must be sent without compression."),
  body_too_large: refuse(413, "The request body is larger than this server accepts."),
  model_not_allowed: refuse(403, "This model is not offered here."),
  too_many_tokens: refuse(400, "The request asks for more tokens than this server allows."),
  too_many_choices: refuse(400, "Only one choice per request is supported: leave out `n`."),
  not_found: refuse(404, "There is nothing at this address."),
  method_not_allowed: refuse(405, "This address does not answer to that method."),
  unauthorized: entry(401, "authentication_error", false, "A valid bearer token is required."),
  token_expired: entry(401, "authentication_error", false, "The token has expired: get a new one."),
  token_revoked: refuse(403, "The token was revoked here."),
  forbidden: refuse(403, "Your token does not allow this."),
  origin_not_allowed: refuse(403, "Pages of this origin may not use this server."),
  rate_limited: entry(429, "rate_limit_error", true, "Too many requests: slow down."),
  // Not to be repeated by itself: its time may be a day away.
  quota_exceeded: entry(429, "rate_limit_error", false, "A quota is used up."),
  body_timeout: refuse(408, "The request body came too slowly."),
  url_too_long: refuse(414, "The request's address is longer than this server accepts."),
  headers_too_large: refuse(431, "The request's headers are larger than this server accepts."),

  // What a client of a room can mend.
  upgrade_required: refuse(426, "This address is for WebSockets; the other doors are below it."),
  bad_frame: refuse(400, "The frame is not one that this protocol knows."),
  unexpected_frame: refuse(400, "The frame may not be sent at this point."),
  frame_too_large: refuse(413, "The frame is larger than this server accepts."),
  bad_name: refuse(400, "A name does not follow the grammar for names."),
  bad_payload: refuse(400, "The payload holds something that cannot be carried."),
  bad_position: refuse(400, "The position is not one that this server gave out."),
  message_too_large: refuse(413, "The message is larger than this server accepts."),
  state_too_large: refuse(413, "The presence state is larger than this server accepts."),
  stream_interrupted: fail(503, "The stream was interrupted: go on from the last event."),
  mailbox_full: fail(503, "Too many direct messages wait for this member."),
  room_overloaded: fail(503, "This room is overloaded: come back later."),

  // What who writes a shared document can mend.
  document_full: refuse(413, "The document is as large as it may be."),
  document_deleted: refuse(410, "The document was deleted."),
  too_many_documents: refuse(409, "This room has as many documents as it may."),

  too_many_revocations: refuse(409, "No more revocations can be remembered here."),

  // What a publisher or owner of a topic can mend.
  topic_exists: refuse(409, "This topic exists with other settings."),
  topic_closed: refuse(409, "This topic is closed: nothing can be published any more."),
  content_type_mismatch: refuse(409, "This topic holds data of another content type."),
  topic_gone: refuse(410, "What was here is gone: it was deleted, or is older than what is kept."),
  out_of_order: refuse(409, "A later write was accepted before."),
  producer_gap: refuse(409, "An earlier request of this producer is missing."),
  producer_fenced: refuse(403, "A newer life of this producer has written since."),

  // What a client of a generation can mend.
  idempotency_conflict: refuse(409, "This Idempotency-Key was used for another request."),
  generation_running: refuse(409, "The answer is still being written."),
  generation_not_continuable: refuse(409, "There is nothing to go on with in this answer."),
  too_many_generations: entry(429, "rate_limit_error", true, "Too many answers are being written."),
  generation_stopped: refuse(409, "The answer was stopped before its end."),
  generation_interrupted: fail(503, "The answer was cut off by a restart of the server."),

  // What the operator can mend.
  not_configured: fail(503, "This server is not configured to serve this host.", false),
  misconfigured: fail(503, "This server's configuration is not valid.", false),
  auth_unavailable: fail(503, "No token can be checked: the issuer's keys are not to be had."),

  // What the model provider did.
  upstream_rejected: refuse(400, "The model provider refused the request as invalid."),
  upstream_auth: fail(502, "The model provider refused this server's credentials.", false),
  upstream_rate_limited: entry(
    429,
    "rate_limit_error",
    true,
    "The model provider is limiting requests.",
  ),
  upstream_unavailable: fail(502, "The model provider could not be reached or failed."),
  upstream_bad_response: fail(502, "The model provider answered with something that is no answer."),
  upstream_truncated: fail(502, "The answer was cut off before its end."),
  upstream_timeout: fail(504, "The model provider took too long."),
  output_limit: fail(502, "The answer is longer than this server allows.", false),

  internal: fail(500, "Something went wrong on this server."),
} as const satisfies Record<string, ErrorEntry>;

/** Every error a client can meet, as a stable identifier to switch on. */
export type ErrorCode = keyof typeof ERRORS;

/** Whether a text is one of the table's codes. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

/** The table's row for a code. */
export function describeError(code: ErrorCode): ErrorEntry {
  return ERRORS[code];
}

/** Facts about one occurrence that are safe to show, because Sluice or the caller wrote them. */
interface ErrorFacts {
  /** A sentence for this occurrence; the table's title when absent. */
  readonly detail?: string;
  /** Which field of the request is meant, as a path like `messages.0.role`. */
  readonly param?: string;
  /** The provider's own code, when it is one of those known to be harmless and useful. */
  readonly upstreamCode?: string;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
  /** More about this occurrence, for programs: members of the problem besides the usual ones. */
  readonly members?: Readonly<Record<string, string | number>>;
  /** Kept for the code that handles the error; never rendered and never logged. */
  readonly cause?: unknown;
}

/** The only error type that crosses a module's border on purpose. */
export class SluiceError extends Error {
  override readonly name = "SluiceError";
  readonly code: ErrorCode;
  readonly detail: string;
  readonly param: string | undefined;
  readonly upstreamCode: string | undefined;
  readonly retryAfter: number | undefined;
  readonly members: Readonly<Record<string, string | number>> | undefined;

  constructor(code: ErrorCode, facts: ErrorFacts = {}) {
    super(code, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.detail = facts.detail ?? ERRORS[code].title;
    this.param = facts.param;
    this.upstreamCode = facts.upstreamCode;
    this.retryAfter = facts.retryAfter;
    this.members = facts.members;
  }
}

/** Gives anything that was thrown a code; what is not a {@link SluiceError} is `internal`. */
export function toSluiceError(thrown: unknown): SluiceError {
  return thrown instanceof SluiceError ? thrown : new SluiceError("internal", { cause: thrown });
}
