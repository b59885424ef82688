/**
 * Owns what the events of an answer mean: OpenAI's chunks as deltas, its ends. Refuses to know how they
 * came.
 */
import { ClientError } from "../errors.ts";
import type { ChatDelta, ChatEnd, ChatUsage } from "./types.ts";

/** What one event says. */
export interface ChunkNews {
  readonly deltas: readonly ChatDelta[];
  readonly finishReason?: string;
  readonly usage?: ChatUsage;
  readonly end?: Pick<ChatEnd, "state" | "error">;
}

type Json = Readonly<Record<string, unknown>>;

/** The end after which nothing is said. */
const DONE = "[DONE]";

/** @throws ClientError `bad_answer` for what is no chunk. */
export function readChunk(data: string): ChunkNews {
  if (data === DONE) return { deltas: [], end: { state: "completed", error: undefined } };
  const chunk = parse(data);
  if (isJson(chunk["error"])) return { deltas: [], end: endOf(chunk["error"]) };
  const [choice] = listOf(chunk["choices"]);
  const finish = choice?.["finish_reason"];
  const usage = chunk["usage"];
  return {
    deltas: isJson(choice?.["delta"]) ? readDelta(choice["delta"]) : [],
    ...(typeof finish === "string" ? { finishReason: finish } : {}),
    ...(isJson(usage) ? { usage: usage as ChatUsage } : {}),
  };
}

function readDelta(delta: Json): readonly ChatDelta[] {
  const deltas: ChatDelta[] = [];
  const reasoning = textOf(delta["reasoning_content"]) ?? textOf(delta["reasoning"]);
  if (reasoning !== undefined) deltas.push({ kind: "reasoning", text: reasoning });
  for (const field of ["content", "refusal"]) {
    const text = textOf(delta[field]);
    if (text !== undefined) deltas.push({ kind: "text", text });
  }
  for (const call of listOf(delta["tool_calls"])) {
    const made = isJson(call["function"]) ? call["function"] : {};
    const id = textOf(call["id"]);
    const name = textOf(made["name"]);
    deltas.push({
      kind: "tool-call",
      index: typeof call["index"] === "number" ? call["index"] : 0,
      ...(id === undefined ? {} : { id }),
      ...(name === undefined ? {} : { name }),
      arguments: textOf(made["arguments"]) ?? "",
    });
  }
  return deltas;
}

/** How an answer ended that is not complete. */
export function endOf(error: Json): Pick<ChatEnd, "state" | "error"> {
  const code = textOf(error["code"]) ?? "internal";
  const message = textOf(error["message"]) ?? "The answer failed.";
  switch (code) {
    case "generation_stopped":
      return { state: "stopped", error: undefined };
    case "generation_interrupted":
      return { state: "interrupted", error: { code, message } };
    default:
      return { state: "failed", error: { code, message } };
  }
}

function parse(data: string): Json {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {}
  if (isJson(json)) return json;
  throw new ClientError("bad_answer", "An event of the answer is no JSON.");
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}
