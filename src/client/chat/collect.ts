/** Owns putting an answer together from its deltas. Refuses to know where they come from. */
import { ClientError } from "../errors.ts";
import type { ChatDelta, ChatEnd, ChatToolCall, WholeAnswer } from "./types.ts";

/** Reads to the end, whatever it is. */
export async function collect(
  deltas: AsyncIterable<ChatDelta>,
  end: Promise<ChatEnd>,
): Promise<WholeAnswer> {
  let text = "";
  let reasoning = "";
  const calls = new Map<number, ChatToolCall>();
  try {
    for await (const delta of deltas) {
      if (delta.kind === "text") text += delta.text;
      else if (delta.kind === "reasoning") reasoning += delta.text;
      else {
        const { id = "", name = "", arguments: begun = "" } = calls.get(delta.index) ?? {};
        calls.set(delta.index, {
          id: delta.id ?? id,
          name: delta.name ?? name,
          arguments: begun + delta.arguments,
        });
      }
    }
  } catch (error) {
    // How it failed is in its end.
    if (!(error instanceof ClientError)) throw error;
  }
  return { text, reasoning, toolCalls: [...calls.values()], ...(await end) };
}
