/**
 * Owns OpenAI's bytes as the demo sends them. Refuses to know when they are sent.
 * https://platform.openai.com/docs/api-reference/chat
 */
import { encodeData } from "../../sse/encode.ts";
import type { DemoRequest } from "./demo-request.ts";
import type { Ending, Piece, ToolCallPiece } from "./script.ts";
import { hashText, splitTokens } from "./tokens.ts";

/** The model's name in every answer, whatever was asked for: nobody shall take the demo for more. */
const DEMO_MODEL = "sluice-demo";

/** What has been said so far. */
export interface Spoken {
  readonly pieces: readonly Piece[];
  readonly reason: FinishReason;
}

type FinishReason = Extract<Ending, "stop" | "tool_calls"> | "length";

/** What all chunks of one answer share. */
export interface Envelope {
  readonly id: string;
  /** Seconds since the Unix epoch. */
  readonly created: number;
  readonly request: DemoRequest;
}

/** The envelope of the answer to a body; equal bodies get equal ids. */
export function openEnvelope(request: DemoRequest, body: string, now: number): Envelope {
  return { id: `chatcmpl-demo-${hashText(body)}`, created: Math.floor(now / 1000), request };
}

/** The event that opens an answer and says who speaks. */
export function encodeRole(envelope: Envelope): string {
  return encodeChunk(envelope, { role: "assistant", content: "", refusal: null }, null);
}

/** The event for one token. */
export function encodePiece(envelope: Envelope, piece: Piece): string {
  return encodeChunk(envelope, piece, null);
}

/** The events that end a complete answer; with a usage chunk only when one was asked for. */
export function encodeFinish(envelope: Envelope, { pieces, reason }: Spoken): string {
  const usage = envelope.request.includeUsage
    ? encodeData(
        JSON.stringify({
          ...describe(envelope, "chat.completion.chunk"),
          choices: [],
          usage: countUsage(envelope.request, pieces),
        }),
      )
    : "";
  return encodeChunk(envelope, {}, reason) + usage + encodeData("[DONE]");
}

/** The event of a provider that fails in the middle. */
export function encodeFailure(): string {
  return encodeData(JSON.stringify(describeFailure()));
}

/** The body of a provider that fails. */
export function describeFailure(): object {
  return {
    error: {
      message: "The demo was asked to fail here.",
      type: "server_error",
      param: null,
      code: null,
    },
  };
}

/** The body of an answer that is not streamed. */
export function describeCompletion(envelope: Envelope, { pieces, reason }: Spoken): object {
  const content = pieces.map((piece) => ("content" in piece ? piece.content : "")).join("");
  const reasoning = pieces
    .map((piece) => ("reasoning_content" in piece ? piece.reasoning_content : ""))
    .join("");
  const toolCalls = joinToolCall(pieces);
  const message = {
    role: "assistant",
    content: content === "" ? null : content,
    refusal: null,
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    ...(toolCalls === undefined ? {} : { tool_calls: [toolCalls] }),
  };
  return {
    ...describe(envelope, "chat.completion"),
    choices: [{ index: 0, message, logprobs: null, finish_reason: reason }],
    usage: countUsage(envelope.request, pieces),
  };
}

function encodeChunk(envelope: Envelope, delta: object, reason: FinishReason | null): string {
  return encodeData(
    JSON.stringify({
      ...describe(envelope, "chat.completion.chunk"),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
      // Null in all chunks but the last, and only there at all when the caller asked for usage.
      ...(envelope.request.includeUsage ? { usage: null } : {}),
    }),
  );
}

function describe({ id, created }: Envelope, object: string): object {
  return { id, object, created, model: DEMO_MODEL };
}

function joinToolCall(pieces: readonly Piece[]): object | undefined {
  const parts = pieces.flatMap((piece): readonly ToolCallPiece[] =>
    "tool_calls" in piece ? piece.tool_calls : [],
  );
  const [first] = parts;
  if (first === undefined) return undefined;
  const json = parts.map((part) => part.function.arguments).join("");
  return { id: first.id, type: "function", function: { ...first.function, arguments: json } };
}

function countUsage({ prompt }: DemoRequest, pieces: readonly Piece[]): object {
  const promptTokens = splitTokens(prompt).length;
  const reasoningTokens = pieces.filter((piece) => "reasoning_content" in piece).length;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: pieces.length,
    total_tokens: promptTokens + pieces.length,
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  };
}
