/**
 * Owns the AI SDK's UI message stream, version 1, which `useChat` reads. Refuses to know where the
 * answer comes from and who keeps the chat.
 * https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol#data-stream-protocol
 *
 * The client throws at a delta without a start, and takes a stream that just stops for a complete one:
 * parts are opened before they are used and closed in the end, and there always is an end.
 */
import type { SluiceError } from "../../protocol/errors.ts";
import { encodeData } from "../../sse/encode.ts";
import { type Delta, isRecord, isText } from "../chunk.ts";
import type { AnswerChunk } from "../progress.ts";
import { Tally } from "../tally.ts";
import type { Dialect } from "./dialect.ts";

/** Headers by which clients know the format. */
export const UI_MESSAGE_HEADERS = { "x-vercel-ai-ui-message-stream": "v1" } as const;

interface ToolCall {
  readonly id: string;
  readonly name: string;
  input: string;
}

/** An open part of the message: what follows of its kind goes into it. */
interface OpenPart {
  readonly kind: "text" | "reasoning";
  readonly id: string;
}

/** The format for one message; made anew for each reader, who reads from the beginning. */
export class UiMessageDialect implements Dialect {
  readonly #messageId: string;
  readonly #metadata: Readonly<Record<string, unknown>>;
  readonly #tally = new Tally();
  readonly #calls = new Map<unknown, ToolCall>();
  /** Addresses that were named. */
  readonly #sources = new Set<string>();
  #part: OpenPart | undefined;
  #parts = 0;
  #isOpen = false;

  /** @param metadata goes with the message's start. */
  constructor(messageId: string, metadata: Readonly<Record<string, unknown>> = {}) {
    this.#messageId = messageId;
    this.#metadata = metadata;
  }

  chunk({ chunk }: AnswerChunk): string {
    this.#tally.add(chunk);
    let text = this.#open();
    for (const { delta } of chunk.choices) {
      if (delta !== undefined && delta !== null) text += this.#describeDelta(delta);
    }
    return text;
  }

  end(): string {
    const usage = this.#tally.usage;
    return (
      this.#open() +
      this.#closePart() +
      this.#finishCalls() +
      write({ type: "finish-step" }) +
      write({
        type: "finish",
        finishReason: nameReason(this.#tally.finishReason),
        ...(usage === undefined ? {} : { messageMetadata: { usage } }),
      }) +
      encodeData("[DONE]")
    );
  }

  error({ code, detail }: SluiceError): string {
    // Somebody's wish is no failure: the message stays as far as it came.
    const last =
      code === "generation_stopped" ? { type: "abort" } : { type: "error", errorText: detail };
    return this.#open() + this.#closePart() + write(last) + encodeData("[DONE]");
  }

  #open(): string {
    if (this.#isOpen) return "";
    this.#isOpen = true;
    const start = { type: "start", messageId: this.#messageId, messageMetadata: this.#metadata };
    return write(start) + write({ type: "start-step" });
  }

  #describeDelta(delta: Delta): string {
    const { content, refusal, tool_calls: calls, annotations } = delta;
    const reasoning = delta.reasoning_content ?? delta.reasoning;
    let text = "";
    if (isText(reasoning)) text += this.#say("reasoning", reasoning);
    if (isText(content)) text += this.#say("text", content);
    if (isText(refusal)) text += this.#say("text", refusal);
    for (const call of Array.isArray(calls) ? calls : []) {
      if (isRecord(call)) text += this.#call(call);
    }
    for (const annotation of Array.isArray(annotations) ? annotations : []) {
      text += this.#cite(annotation);
    }
    return text;
  }

  #say(kind: OpenPart["kind"], delta: string): string {
    let text = "";
    if (this.#part?.kind !== kind) {
      text += this.#closePart();
      this.#parts += 1;
      this.#part = { kind, id: String(this.#parts) };
      text += write({ type: `${kind}-start`, id: this.#part.id });
    }
    return text + write({ type: `${kind}-delta`, id: this.#part.id, delta });
  }

  #closePart(): string {
    const part = this.#part;
    this.#part = undefined;
    return part === undefined ? "" : write({ type: `${part.kind}-end`, id: part.id });
  }

  #call(piece: Record<string, unknown>): string {
    const tool = isRecord(piece["function"]) ? piece["function"] : {};
    // Without an index it is whole, and the next one.
    const key = piece["index"] ?? this.#calls.size;
    let call = this.#calls.get(key);
    let text = "";
    if (call === undefined) {
      const { name } = tool;
      // The first piece names the tool, by everybody's habit.
      if (!isText(name)) return "";
      const id = isText(piece["id"]) ? piece["id"] : `${this.#messageId}-call-${this.#calls.size}`;
      call = { id, name, input: "" };
      this.#calls.set(key, call);
      text += this.#closePart();
      text += write({ type: "tool-input-start", toolCallId: id, toolName: name });
    }
    const { arguments: input } = tool;
    if (!isText(input)) return text;
    call.input += input;
    return text + write({ type: "tool-input-delta", toolCallId: call.id, inputTextDelta: input });
  }

  /** The calls with their whole input, which only the end of the answer completes. */
  #finishCalls(): string {
    let text = "";
    for (const { id, name, input } of this.#calls.values()) {
      const call = { toolCallId: id, toolName: name };
      try {
        const value: unknown = JSON.parse(input === "" ? "{}" : input);
        text += write({ type: "tool-input-available", ...call, input: value });
      } catch {
        const errorText = "The tool's input is not valid JSON.";
        text += write({ type: "tool-input-error", ...call, input, errorText });
      }
    }
    return text;
  }

  /** A web page that the model names as its source, once. */
  #cite(annotation: unknown): string {
    const citation = isRecord(annotation) ? annotation["url_citation"] : undefined;
    if (!isRecord(citation)) return "";
    const { url, title } = citation;
    if (!isText(url) || this.#sources.has(url)) return "";
    this.#sources.add(url);
    const sourceId = `source-${this.#sources.size}`;
    return write({ type: "source-url", sourceId, url, ...(isText(title) ? { title } : {}) });
  }
}

function write(part: Readonly<Record<string, unknown>>): string {
  return encodeData(JSON.stringify(part));
}

/** OpenAI's reasons by the AI SDK's names. */
function nameReason(reason: string | undefined): string {
  switch (reason) {
    // A provider that ends with `[DONE]` alone has said all it wanted.
    case undefined:
    case "stop":
      return "stop";
    case "length":
      return "length";
    case "content_filter":
      return "content-filter";
    case "tool_calls":
    case "function_call":
      return "tool-calls";
    default:
      return "other";
  }
}
