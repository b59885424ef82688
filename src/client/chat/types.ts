/**
 * Owns what applications see of an answer. Refuses to know how it gets here.
 */
import type { Readable } from "../items.ts";

/** A message of a conversation, in OpenAI's shape; further fields pass through. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

/** What is asked, in OpenAI's shape; further fields pass through. */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly model?: string;
  readonly [field: string]: unknown;
}

/** How it is asked. */
export interface ChatOptions {
  /** What becomes of the answer when nobody reads it: `continue` (the default), `cancel` or so many seconds of grace. */
  readonly whenAbandoned?: "continue" | "cancel" | `grace=${number}`;
  /** Names the question: asked again with it, also after a reload, it is the same answer. Made up when left out. */
  readonly idempotencyKey?: string;
}

/** How an answer is read on. */
export interface ResumeOptions {
  /** The position that {@link Answer.position} said; left out, the answer is read from its start. */
  readonly after?: string;
}

/** A piece of an answer. */
export type ChatDelta =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "reasoning"; readonly text: string }
  | {
      readonly kind: "tool-call";
      /** Pieces with the same index belong together. */
      readonly index: number;
      /** In the first piece. */
      readonly id?: string | undefined;
      /** In the first piece. */
      readonly name?: string | undefined;
      /** A piece of the arguments' JSON. */
      readonly arguments: string;
    };

/** What an answer cost. */
export interface ChatUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  /** Set when the provider did not say. */
  readonly estimated?: boolean;
  readonly [field: string]: unknown;
}

/** How an answer ended. */
export interface ChatEnd {
  /**
   * `completed`, `stopped` (by somebody), `failed`, `interrupted` (by a restart of the server), or
   * `closed`: this reader went away and does not know.
   */
  readonly state: "completed" | "stopped" | "failed" | "interrupted" | "closed";
  /** The provider's reason, such as `stop`, `length` or `tool_calls`. */
  readonly finishReason: string | undefined;
  readonly usage: ChatUsage | undefined;
  /** Why it is not complete. */
  readonly error: { readonly code: string; readonly message: string } | undefined;
}

/** A tool's call, put together. */
export interface ChatToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON, if the model wrote it well. */
  readonly arguments: string;
}

/** All of an answer. */
export interface WholeAnswer extends ChatEnd {
  readonly text: string;
  readonly reasoning: string;
  readonly toolCalls: readonly ChatToolCall[];
}

/**
 * An answer that is being written. Reading ends when it is complete or was stopped, and throws when it
 * failed or was interrupted: what ends without an error is all there is.
 */
export interface Answer extends Readable<ChatDelta> {
  /** The answer's id, to resume it elsewhere; undefined until the server has said it. */
  readonly id: string | undefined;
  /** After the last delta that a reader took. Keep it with {@link id} to read on after a reload. */
  readonly position: string | undefined;
  /** How it ended; resolves also when it failed. It has to be read to get there: iterate, or call {@link whole}. */
  readonly end: Promise<ChatEnd>;
  /** Reads to the end and gives all of it, whatever the end was. */
  whole(): Promise<WholeAnswer>;
  /** Ends the answer itself, for everyone who reads it; resolves when the server has done so. */
  stop(): Promise<void>;
}
