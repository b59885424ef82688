/**
 * Owns the counting of an answer while it passes: how much was said, what the provider charges, why it
 * ended. Refuses to keep any of the text.
 */
import { type Chunk, isRecord, isText } from "./chunk.ts";

/** What an answer cost, settled once. Other fields of the provider's own pass through. */
export interface Usage {
  readonly [field: string]: unknown;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** Set when the provider gave no numbers, and these are ours. */
  readonly estimated?: true;
}

/** Characters of a token, roughly, in the languages that most text is in. */
const CHARS_PER_TOKEN = 4;

/** Characters that are kept of what a provider calls its model. */
const MAX_MODEL_CHARS = 256;

/** The tokens of so many characters, roughly. */
export function estimateTokens(chars: number): number {
  return Math.ceil(chars / CHARS_PER_TOKEN);
}

export class Tally {
  #chars = 0;
  #usage: Usage | undefined;
  #finishReason: string | undefined;
  #model: string | undefined;

  /** Counts one chunk. */
  add({ choices, ...rest }: Chunk): void {
    for (const { delta, finish_reason: reason } of choices) {
      if (isText(reason)) this.#finishReason = reason;
      if (!isRecord(delta)) continue;
      for (const field of ["content", "reasoning_content", "reasoning", "refusal"]) {
        const text = delta[field];
        if (isText(text)) this.#chars += text.length;
      }
      for (const call of Array.isArray(delta["tool_calls"]) ? delta["tool_calls"] : []) {
        this.#chars += argumentsOf(call).length;
      }
    }
    // Whoever routes requests says in the stream whom it has chosen.
    if (isText(rest.model)) this.#model = rest.model.slice(0, MAX_MODEL_CHARS);
    // Some send it before the end, or twice: the last one counts.
    this.#usage = readUsage(rest) ?? this.#usage;
  }

  get finishReason(): string | undefined {
    return this.#finishReason;
  }

  /** The model that answers, by its own account; undefined while nobody has said. */
  get model(): string | undefined {
    return this.#model;
  }

  /** The provider's numbers, as far as they have come. */
  get usage(): Usage | undefined {
    return this.#usage;
  }

  /** Whether nothing was said and nothing is charged, as far as is known. */
  get isSilent(): boolean {
    return this.#chars === 0 && this.#usage === undefined;
  }

  /** The provider's numbers, or an estimate that says so. */
  settle(promptChars: number): Usage {
    if (this.#usage !== undefined) return this.#usage;
    const prompt = estimateTokens(promptChars);
    const completion = estimateTokens(this.#chars);
    return {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      estimated: true,
    };
  }
}

function argumentsOf(call: unknown): string {
  const tool = isRecord(call) ? call["function"] : undefined;
  const text = isRecord(tool) ? tool["arguments"] : undefined;
  return isText(text) ? text : "";
}

/** Usage where OpenAI has it, or where Groq does. */
function readUsage(chunk: Readonly<Record<string, unknown>>): Usage | undefined {
  const { usage, x_groq: groq } = chunk;
  return asUsage(usage) ?? asUsage(isRecord(groq) ? groq["usage"] : undefined);
}

function asUsage(value: unknown): Usage | undefined {
  if (!isRecord(value)) return undefined;
  const prompt = value["prompt_tokens"];
  const completion = value["completion_tokens"];
  if (!isCount(prompt) || !isCount(completion)) return undefined;
  const total = value["total_tokens"];
  return {
    ...value,
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: isCount(total) ? total : prompt + completion,
  };
}

/** Quotas are settled with it: less than nothing would give back what others have used. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
