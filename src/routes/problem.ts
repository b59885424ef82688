/**
 * Owns errors as HTTP answers: RFC 9457 problem details with a `code`. On OpenAI's routes the same
 * body also holds OpenAI's `error` object, so that its clients understand it unchanged.
 * Refuses to render anything that is not in the error table.
 */
import { describeAsOpenAI } from "../llm/dialects/openai.ts";
import { type SluiceError, describeError } from "../protocol/errors.ts";

/** The answer for an error. */
export function renderProblem(
  error: SluiceError,
  request: { readonly requestId: string; readonly path: string },
): Response {
  const { status, title, retryable } = describeError(error.code);
  const speaksOpenAI = request.path.startsWith("/v1/");
  const body = {
    type: "about:blank",
    title,
    status,
    detail: error.detail,
    code: error.code,
    ...(error.param === undefined ? {} : { param: error.param }),
    ...(error.upstreamCode === undefined ? {} : { upstreamCode: error.upstreamCode }),
    ...error.members,
    requestId: request.requestId,
    ...(speaksOpenAI ? { error: describeAsOpenAI(error) } : {}),
  };
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-request-id": request.requestId,
    // Read by the openai clients, which would otherwise retry by status alone.
    "x-should-retry": String(retryable),
  });
  if (status === 401) headers.set("www-authenticate", 'Bearer realm="sluice"');
  if (error.retryAfter !== undefined) {
    headers.set("retry-after", String(Math.ceil(error.retryAfter)));
  }
  return new Response(JSON.stringify(body), { status, headers });
}
