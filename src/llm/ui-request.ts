/**
 * Owns the reading of what `useChat` sends: messages made of parts become OpenAI's. Parts that only a
 * client can use (sources, steps, data) are left out. Refuses to know about HTTP and models.
 */
import * as v from "valibot";
import { SluiceError } from "../protocol/errors.ts";
import { MAX_CHAT_ID_CHARS, MAX_MESSAGES } from "../protocol/limits.ts";
import { isRecord, isText } from "./chunk.ts";

const name = v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_CHAT_ID_CHARS)));

/** No chat of such a name could be asked for by its address. */
const NO_PATHS: readonly (string | undefined)[] = [".", ".."];

const chatName = v.pipe(
  name,
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed || !NO_PATHS.includes(dataset.value)) return;
    addIssue({ message: "no name", expected: "a name other than `.` and `..`" });
  }),
);

const partSchema = v.looseObject({ type: v.string() });

const bodySchema = v.looseObject({
  id: chatName,
  messages: v.pipe(
    v.array(
      v.looseObject({
        id: name,
        role: v.picklist(["system", "user", "assistant"]),
        parts: v.array(partSchema),
      }),
    ),
    v.minLength(1),
    v.maxLength(MAX_MESSAGES),
  ),
  trigger: v.optional(v.string()),
  messageId: v.optional(v.string()),
});

type Part = v.InferOutput<typeof partSchema>;

/** What a chat asks for. */
export interface UiRequest {
  /** The chat's name. */
  readonly chat: string | undefined;
  /** The message that the answer goes on with; undefined when it is a new one. */
  readonly messageId: string | undefined;
  /** The request in OpenAI's terms, still to be checked. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Whether a body is one of `useChat`'s. */
export function isUiBody(body: unknown): boolean {
  if (!isRecord(body) || !Array.isArray(body["messages"])) return false;
  return body["messages"].some((message) => isRecord(message) && Array.isArray(message["parts"]));
}

/**
 * Reads a body.
 *
 * @throws SluiceError `invalid_request`.
 */
export function parseUiRequest(body: unknown): UiRequest {
  const result = v.safeParse(bodySchema, body);
  if (!result.success) {
    const [issue] = result.issues;
    const path = v.getDotPath(issue) ?? "messages";
    throw new SluiceError("invalid_request", {
      detail: `${path}: expected ${issue.expected ?? "something else"}.`,
      param: path,
    });
  }
  const { id: chat, messages, trigger: _trigger, messageId: _id, ...rest } = result.output;
  const last = messages.at(-1);
  return {
    chat,
    // A tool's result was added to the answer, which goes on.
    messageId: last?.role === "assistant" ? last.id : undefined,
    body: { ...rest, messages: messages.flatMap(({ role, parts }) => translate(role, parts)) },
  };
}

function translate(
  role: "system" | "user" | "assistant",
  parts: readonly Part[],
): readonly Record<string, unknown>[] {
  if (role === "assistant") return translateAnswer(parts);
  const content = parts.flatMap(translateContent);
  const isPlain = content.every(({ type }) => type === "text");
  // Every provider understands plain text; not all understand lists.
  return [{ role, content: isPlain ? joinText(parts) : content }];
}

function translateContent(part: Part): readonly Record<string, unknown>[] {
  const { type, text, url, mediaType, filename } = part;
  if (type === "text" && isText(text)) return [{ type, text }];
  if (type !== "file" || !isText(url)) return [];
  if (isText(mediaType) && mediaType.startsWith("image/")) {
    return [{ type: "image_url", image_url: { url } }];
  }
  const name = isText(filename) ? { filename } : {};
  return [{ type: "file", file: { file_data: url, ...name } }];
}

/** An answer with its tool calls, step by step: each call is followed by its result. */
function translateAnswer(parts: readonly Part[]): readonly Record<string, unknown>[] {
  const messages: Record<string, unknown>[] = [];
  for (const step of splitSteps(parts)) {
    const calls = step.flatMap(readCall);
    const text = joinText(step);
    if (text === "" && calls.length === 0) continue;
    messages.push({
      role: "assistant",
      content: text === "" ? null : text,
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(({ call }) => call) }),
    });
    for (const { id, result } of calls) {
      messages.push({ role: "tool", tool_call_id: id, content: result });
    }
  }
  return messages;
}

function splitSteps(parts: readonly Part[]): readonly (readonly Part[])[] {
  const steps: Part[][] = [[]];
  for (const part of parts) {
    if (part.type === "step-start") steps.push([]);
    else steps.at(-1)?.push(part);
  }
  return steps;
}

interface TranslatedCall {
  readonly id: string;
  readonly call: Readonly<Record<string, unknown>>;
  readonly result: string;
}

const TOOL = "tool-";

/** A call that has its result; one without would make the provider refuse the whole conversation. */
function readCall(part: Part): readonly TranslatedCall[] {
  const { type, state, toolCallId: id, toolName, input, output, errorText } = part;
  const tool = type === "dynamic-tool" ? toolName : type.slice(TOOL.length);
  if (!(type === "dynamic-tool" || type.startsWith(TOOL)) || !isText(id) || !isText(tool)) {
    return [];
  }
  const result =
    state === "output-available"
      ? stringify(output)
      : state === "output-error"
        ? stringify({ error: errorText })
        : undefined;
  if (result === undefined) return [];
  const call = { id, type: "function", function: { name: tool, arguments: stringify(input) } };
  return [{ id, call, result }];
}

function stringify(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value ?? null) ?? "null");
}

function joinText(parts: readonly Part[]): string {
  return parts.map(({ type, text }) => (type === "text" && isText(text) ? text : "")).join("");
}
