/**
 * Owns answers of a provider that are no stream although one was asked for: an error in disguise, a
 * web page, or the whole answer from a gateway that does not know streaming. Refuses to know about
 * the rest of the attempt.
 */
import { SluiceError } from "../protocol/errors.ts";
import { isRecord } from "./chunk.ts";
import type { AnswerChunk } from "./progress.ts";
import { readLimited } from "./read-limited.ts";
import { readUpstreamError } from "./upstream-error.ts";

/**
 * The answer as one chunk when the response is a whole answer in JSON; undefined when it is (or may
 * be) an event stream. Local servers are careless with the content type, so only what is surely
 * something else is looked at.
 *
 * @throws SluiceError when it is neither.
 */
export async function readUnstreamed(
  response: Response,
  limits: { readonly maxBytes: number; readonly signal: AbortSignal },
): Promise<AnswerChunk | undefined> {
  const body: ReadableStream<Uint8Array> | null = response.body;
  const type = response.headers.get("content-type") ?? "";
  if (body === null || !/^\s*(application\/(problem\+)?json|text\/html)\b/i.test(type)) {
    return undefined;
  }
  const value = parseAnswer(await readLimited(body, limits));
  const chunk = { ...value, object: "chat.completion.chunk", choices: value.choices.map(toDelta) };
  return { json: JSON.stringify(chunk), chunk };
}

/**
 * A whole answer, checked as far as anyone depends on it.
 *
 * @throws SluiceError for an error in disguise, or what is no answer.
 */
export function parseAnswer(
  text: string,
): Record<string, unknown> & { readonly choices: readonly Record<string, unknown>[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SluiceError("upstream_bad_response", { cause: error });
  }
  if (!isRecord(value)) throw new SluiceError("upstream_bad_response");
  if ((value["error"] ?? null) !== null) throw readUpstreamError(value);
  const { choices } = value;
  if (!Array.isArray(choices) || choices.length === 0 || !choices.every(isRecord)) {
    throw new SluiceError("upstream_bad_response");
  }
  return { ...value, choices };
}

function toDelta(choice: Record<string, unknown>, index: number): Record<string, unknown> {
  const { message, ...rest } = choice;
  const delta: Record<string, unknown> = isRecord(message) ? { ...message } : {};
  // In a stream each call says which one it is; in a whole answer its place does.
  if (Array.isArray(delta["tool_calls"])) {
    delta["tool_calls"] = delta["tool_calls"].map((call: unknown, place) =>
      isRecord(call) ? { index: place, ...call } : call,
    );
  }
  return { index, finish_reason: "stop", ...rest, delta };
}
