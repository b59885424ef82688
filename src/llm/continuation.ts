/**
 * Owns how an answer that broke off is gone on with: what the provider is asked, and what the new
 * answer begins with. Refuses to know where either is kept.
 *
 * The provider gets the conversation with the text so far as its last message, the assistant's.
 */
import { SluiceError } from "../protocol/errors.ts";
import { CONTINUED_CHUNK_CHARS } from "../protocol/limits.ts";
import { isRecord, isText } from "./chunk.ts";
import type { ChatRequest } from "./request.ts";

/** An answer that goes on. */
interface Continuation {
  /** The conversation that the provider is asked to go on with. */
  readonly messages: readonly Message[];
  /** Chunks, as JSON, that say again what was said. */
  readonly said: readonly string[];
}

interface Message {
  readonly [field: string]: unknown;
  readonly role: string;
}

/** What is gone on with. */
interface Broken {
  /** The request that it answers. */
  readonly request: ChatRequest;
  /** Whether that was itself asked to go on, so that its last message is the beginning of the answer. */
  readonly isContinuation: boolean;
  /** What there is of the answer, in OpenAI's shape. */
  readonly answer: Readonly<Record<string, unknown>>;
}

/**
 * Prepares to go on with an answer.
 *
 * @param marks fields of the last message, by which some providers know that they shall go on with it.
 * @throws SluiceError `generation_not_continuable`.
 */
export function continueAnswer(
  { request, isContinuation, answer }: Broken,
  marks: Readonly<Record<string, unknown>>,
): Continuation {
  const { content, reasoning, field } = readMessage(answer);
  const messages = isContinuation ? request.messages.slice(0, -1) : request.messages;
  // Whoever stores them gives them the id and the time of the answer that they begin.
  const head = { id: "", object: "chat.completion.chunk", created: 0, model: answer["model"] };
  const say = (delta: Readonly<Record<string, string>>): string =>
    JSON.stringify({ ...head, choices: [{ index: 0, delta, finish_reason: null }] });
  return {
    messages: [...messages, { role: "assistant", content, ...marks }],
    said: [
      say({ role: "assistant", content: "" }),
      ...split(reasoning).map((text) => say({ [field]: text })),
      ...split(content).map((text) => say({ content: text })),
    ],
  };
}

function readMessage(answer: Readonly<Record<string, unknown>>): {
  readonly content: string;
  readonly reasoning: string;
  readonly field: string;
} {
  const [choice] = Array.isArray(answer["choices"]) ? (answer["choices"] as unknown[]) : [];
  const message = isRecord(choice) && isRecord(choice["message"]) ? choice["message"] : {};
  if (message["tool_calls"] !== undefined) {
    throw refuse("It calls tools, and nobody can go on with half a call: restart it.");
  }
  const { content } = message;
  if (!isText(content)) throw refuse("It has no text to go on from: restart it.");
  const field = isText(message["reasoning"]) ? "reasoning" : "reasoning_content";
  const reasoning = message[field];
  return { content, reasoning: isText(reasoning) ? reasoning : "", field };
}

function refuse(detail: string): SluiceError {
  return new SluiceError("generation_not_continuable", { detail });
}

/** No piece is too large for a row, and none ends in the middle of a character. */
function split(text: string): readonly string[] {
  return text.match(PIECE) ?? [];
}

const PIECE = new RegExp(`[\\s\\S]{1,${CONTINUED_CHUNK_CHARS}}`, "gu");
