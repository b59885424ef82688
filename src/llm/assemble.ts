/**
 * Owns putting an answer's chunks together into the whole answer that the provider would have given
 * at once. Refuses to know where the chunks were.
 */
import { type Chunk, isRecord, isText } from "./chunk.ts";
import type { Usage } from "./tally.ts";

interface ToolCall {
  id: string;
  type: string;
  name: string;
  arguments: string;
}

/** Fields of every chunk that the whole answer has, too. */
const COMMON = ["id", "created", "model", "system_fingerprint", "service_tier"] as const;

export class Assembly {
  readonly #common: Record<string, unknown> = {};
  readonly #calls = new Map<number, ToolCall>();
  readonly #logprobs: unknown[] = [];
  #role = "assistant";
  #content = "";
  #refusal = "";
  #reasoning = "";
  /** Which of its two names the provider has for it. */
  #reasoningField = "reasoning_content";
  #finishReason: string | null = null;

  /** Takes the next chunk. */
  add(chunk: Chunk): void {
    const fields: Readonly<Record<string, unknown>> = { ...chunk };
    for (const name of COMMON) {
      if ((fields[name] ?? null) !== null) this.#common[name] = fields[name];
    }
    for (const { delta, finish_reason: reason, ...rest } of chunk.choices) {
      if (isText(reason)) this.#finishReason = reason;
      this.#addLogprobs({ ...rest });
      if (isRecord(delta)) this.#addDelta(delta);
    }
  }

  /** The whole answer, in OpenAI's shape. */
  finish(usage: Usage | null): Record<string, unknown> {
    const calls = [...this.#calls.entries()].toSorted(([a], [b]) => a - b);
    const message = {
      role: this.#role,
      content: this.#content === "" && calls.length > 0 ? null : this.#content,
      refusal: this.#refusal === "" ? null : this.#refusal,
      ...(this.#reasoning === "" ? {} : { [this.#reasoningField]: this.#reasoning }),
      ...(calls.length === 0
        ? {}
        : {
            tool_calls: calls.map(([, { id, type, name, arguments: text }]) => ({
              id,
              type,
              function: { name, arguments: text },
            })),
          }),
    };
    const logprobs = this.#logprobs.length === 0 ? null : { content: this.#logprobs };
    return {
      ...this.#common,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: this.#finishReason, logprobs }],
      ...(usage === null ? {} : { usage }),
    };
  }

  #addDelta(delta: Record<string, unknown>): void {
    const { role, content, refusal, tool_calls: calls } = delta;
    if (isText(role)) this.#role = role;
    if (isText(content)) this.#content += content;
    if (isText(refusal)) this.#refusal += refusal;
    for (const field of ["reasoning_content", "reasoning"]) {
      const text = delta[field];
      if (!isText(text)) continue;
      this.#reasoningField = field;
      this.#reasoning += text;
      // Some send both; they are the same.
      break;
    }
    for (const call of Array.isArray(calls) ? calls : []) {
      if (isRecord(call)) this.#addCall(call);
    }
  }

  #addCall(part: Record<string, unknown>): void {
    // Without an index it is whole, and the next one.
    const index = typeof part["index"] === "number" ? part["index"] : this.#calls.size;
    const call = this.#calls.get(index) ?? { id: "", type: "function", name: "", arguments: "" };
    this.#calls.set(index, call);
    const { function: tool } = part;
    if (isText(part["id"])) call.id = part["id"];
    if (isText(part["type"])) call.type = part["type"];
    if (!isRecord(tool)) return;
    // Names come whole; some repeat them in every part.
    if (isText(tool["name"])) call.name = tool["name"];
    if (isText(tool["arguments"])) call.arguments += tool["arguments"];
  }

  #addLogprobs({ logprobs }: Record<string, unknown>): void {
    if (isRecord(logprobs) && Array.isArray(logprobs["content"])) {
      this.#logprobs.push(...(logprobs["content"] as unknown[]));
    }
  }
}
