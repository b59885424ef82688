/**
 * Owns what the events of an answer mean: OpenAI's chunks as deltas, its ends. Refuses to know how they
 * came.
 */
import { parseJson } from "../flow/parse-json.ts";
import { textOf } from "../text.ts";
import type { ChatDelta, ChatEnd, ChatUsage } from "./types.ts";

/** What one event says. */
export interface ChunkNews {
  readonly deltas: readonly ChatDelta[];
  readonly finishReason?: string | undefined;
  readonly usage?: ChatUsage | undefined;
  readonly end?: Pick<ChatEnd, "state" | "error">;
}

/** Some JSON of which a few fields are looked at, whatever they hold. */
type Fields<Name extends string> = { readonly [Field in Name]?: unknown } | null | undefined;

/** The end after which nothing is said. */
const DONE = "[DONE]";

/** What an answer is after an error with this code, where it did not fail. */
const STATES: ReadonlyMap<string, ChatEnd["state"]> = new Map([
  ["generation_stopped", "stopped"],
  ["generation_interrupted", "interrupted"],
  ["closed", "closed"],
]);

/** @throws ClientError `bad_answer` for what is no chunk. */
export function readChunk(data = "{}"): ChunkNews {
  if (data === DONE) return { deltas: [], end: { state: "completed", error: undefined } };
  const chunk = parseJson(data) as Fields<"error" | "choices" | "usage">;
  const error = chunk?.error ?? undefined;
  if (error !== undefined) return { deltas: [], end: endOf(error) };
  const choice = listOf(chunk?.choices)[0] as Fields<"delta" | "finish_reason">;
  return {
    deltas: readDelta(choice?.delta ?? {}),
    finishReason: textOf(choice?.finish_reason),
    usage: (chunk?.usage ?? undefined) as ChatUsage | undefined,
  };
}

function readDelta(
  delta: NonNullable<
    Fields<"content" | "refusal" | "reasoning" | "reasoning_content" | "tool_calls">
  >,
): readonly ChatDelta[] {
  const deltas: ChatDelta[] = [];
  const tell = (kind: "text" | "reasoning", value: unknown): void => {
    const text = textOf(value);
    if (text !== undefined) deltas.push({ kind, text });
  };
  tell("reasoning", textOf(delta.reasoning_content) ?? delta.reasoning);
  tell("text", delta.content);
  tell("text", delta.refusal);
  for (const item of listOf(delta.tool_calls)) {
    const call = item as Fields<"index" | "id" | "function">;
    const made = call?.function as Fields<"name" | "arguments">;
    deltas.push({
      kind: "tool-call",
      index: Number(call?.index ?? 0),
      id: textOf(call?.id),
      name: textOf(made?.name),
      arguments: textOf(made?.arguments) ?? "",
    });
  }
  return deltas;
}

/** How an answer ended that is not complete. */
export function endOf(
  error: NonNullable<Fields<"code" | "message">>,
): Pick<ChatEnd, "state" | "error"> {
  const code = textOf(error.code) ?? "internal";
  const state = STATES.get(code) ?? "failed";
  const isAsked = state === "stopped" || state === "closed";
  return {
    state,
    error: isAsked ? undefined : { code, message: textOf(error.message) ?? "The answer failed." },
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
