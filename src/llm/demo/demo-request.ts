/**
 * Owns the reading of a request by the demo: what of OpenAI's body it understands. Lenient, because
 * the body was checked where it entered. Refuses to know how it is answered.
 */
import { isRecord } from "../chunk.ts";

/** A tool the caller offers. */
export interface DemoTool {
  readonly name: string;
  /** JSON schema of its arguments. */
  readonly parameters: unknown;
}

/** What the demo looks at. */
export interface DemoRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Tokens the answer may have; infinite when the request does not say. */
  readonly maxTokens: number;
  /** The caller's last question. */
  readonly question: string;
  /** The text of the last message, when that is a tool's result. */
  readonly toolResult: string | undefined;
  /** What the answer has said already, when the last message is the beginning of it. */
  readonly said: string;
  readonly tools: readonly DemoTool[];
  /** Text of the whole conversation, for counting. */
  readonly prompt: string;
}

/** Reads a body; `undefined` when it is no request at all. */
export function readDemoRequest(json: string): DemoRequest | undefined {
  let body: unknown;
  try {
    body = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isRecord(body) || !Array.isArray(body["messages"])) return undefined;
  const messages = body["messages"].filter(isRecord);
  const { stream_options: options } = body;
  const last = messages.at(-1);
  return {
    model: typeof body["model"] === "string" ? body["model"] : "",
    stream: body["stream"] === true,
    includeUsage: isRecord(options) && options["include_usage"] === true,
    maxTokens:
      readLimit(body["max_completion_tokens"]) ?? readLimit(body["max_tokens"]) ?? Infinity,
    question: readText(messages.findLast(({ role }) => role === "user")),
    toolResult: last?.["role"] === "tool" ? readText(last) : undefined,
    said: last?.["role"] === "assistant" ? readText(last) : "",
    tools: body["tool_choice"] === "none" ? [] : readTools(body["tools"]),
    prompt: messages.map(readText).join("\n"),
  };
}

/** The text of a message, whose content is a string or a list of parts. */
function readText(message: Record<string, unknown> | undefined): string {
  const content = message?.["content"];
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .filter(isRecord)
    .map(({ text }) => (typeof text === "string" ? text : ""))
    .join("");
}

function readTools(tools: unknown): readonly DemoTool[] {
  if (!Array.isArray(tools)) return [];
  return tools.filter(isRecord).flatMap(({ function: tool }) => {
    if (!isRecord(tool) || typeof tool["name"] !== "string") return [];
    return [{ name: tool["name"], parameters: tool["parameters"] }];
  });
}

function readLimit(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
