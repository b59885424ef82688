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
      else calls.set(delta.index, extend(calls.get(delta.index), delta));
    }
  } catch (error) {
    // How it failed is in its end.
    if (!(error instanceof ClientError)) throw error;
  }
  return { text, reasoning, toolCalls: [...calls.values()], ...(await end) };
}

function extend(
  call: ChatToolCall = { id: "", name: "", arguments: "" },
  delta: ChatDelta & { readonly kind: "tool-call" },
): ChatToolCall {
  return {
    id: delta.id ?? call.id,
    name: delta.name ?? call.name,
    arguments: call.arguments + delta.arguments,
  };
}
