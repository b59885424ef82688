/**
 * Owns the simple format: `data: {"content": "…"}` and `data: [DONE]`, readable with ten lines of
 * `fetch`. Refuses to know where the answer comes from.
 *
 * Everything else is a named event that still has a `content` (an empty one), so that a client which
 * looks at `data` lines only and joins `content` stays right.
 */
import type { SluiceError } from "../../protocol/errors.ts";
import { encodeData, encodeEvent } from "../../sse/encode.ts";
import type { AnswerChunk } from "../progress.ts";
import { isText } from "../chunk.ts";
import type { Dialect } from "./dialect.ts";

export const simpleDialect: Dialect = {
  chunk: describeChunk,
  end: () => encodeData("[DONE]"),
  error: ({ code, detail }: SluiceError) =>
    encodeEvent({ event: "error", data: JSON.stringify({ code, message: detail }) }),
};

function describeChunk({ chunk }: AnswerChunk): string {
  let text = "";
  for (const { delta, finish_reason: reason } of chunk.choices) {
    const reasoning = delta?.reasoning_content ?? delta?.reasoning;
    if (isText(reasoning)) text += named("reasoning", { reasoning });
    if (isText(delta?.content)) text += encodeData(JSON.stringify({ content: delta.content }));
    if (isText(delta?.refusal)) text += encodeData(JSON.stringify({ content: delta.refusal }));
    // "stop" goes without saying; anything else means that there would have been more (L5).
    if (isText(reason) && reason !== "stop") text += named("finish", { reason });
  }
  return text;
}

function named(event: string, fields: Readonly<Record<string, string>>): string {
  return encodeEvent({ event, data: JSON.stringify({ content: "", ...fields }) });
}
