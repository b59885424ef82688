/**
 * Owns OpenAI's streaming format as Sluice speaks it. Refuses to know where the answer comes from.
 * https://platform.openai.com/docs/api-reference/chat-streaming
 */
import { describeError, type SluiceError } from "../../protocol/errors.ts";
import { encodeData } from "../../sse/encode.ts";
import type { Dialect } from "./dialect.ts";

/**
 * Chunks go out as the provider wrote them. A failure is `{"error": …}` and no `[DONE]` after it:
 * what ends with `[DONE]` is complete.
 */
export const openaiDialect: Dialect = {
  chunk: ({ json }) => encodeData(json),
  end: () => encodeData("[DONE]"),
  error: (error) => encodeData(JSON.stringify({ error: describeAsOpenAI(error) })),
};

/** OpenAI's error object, in a body or in an event: what its clients turn into an `APIError`. */
export function describeAsOpenAI(error: SluiceError): Record<string, string | null> {
  return {
    message: error.detail,
    type: describeError(error.code).openaiType,
    code: error.upstreamCode ?? error.code,
    param: error.param ?? null,
  };
}
