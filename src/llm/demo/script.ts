/**
 * Owns what a demo answer is before it is bytes: what is said, how fast, and how it ends.
 * Refuses to know about wire formats and time.
 */

/** One token of an answer, as the `delta` that carries it. */
export type Piece =
  | { readonly content: string }
  | { readonly reasoning_content: string }
  | { readonly tool_calls: readonly [ToolCallPiece] };

/** A part of a tool call: the first has id and name, all have some of the arguments. */
export interface ToolCallPiece {
  readonly index: 0;
  readonly id?: string;
  readonly type?: "function";
  readonly function: { readonly name?: string; readonly arguments: string };
}

/** What follows the last piece: the end that clients hope for, an error, or nothing at all. */
export type Ending = "stop" | "tool_calls" | "error" | "cut";

/** How fast the demo speaks. */
export interface Pace {
  /** Milliseconds from the request to the first token. */
  readonly firstTokenMs: number;
  /** Milliseconds between two tokens. */
  readonly tokenMs: number;
}

/** An answer to be played. The pieces may go on for ever: they are taken one by one. */
export interface Script {
  readonly pieces: Iterable<Piece>;
  readonly ending: Ending;
  readonly pace: Pace;
}
