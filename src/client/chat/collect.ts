/** Owns putting an answer together from its deltas. Refuses to know where they come from. */
import { ClientError } from "../errors.ts";
import type { ChatDelta, ChatEnd, WholeAnswer } from "./types.ts";

/** Reads to the end, whatever it is. */
export async function collect(
  deltas: AsyncIterable<ChatDelta>,
  end: Promise<ChatEnd>,
): Promise<WholeAnswer> {
  const texts = { text: "", reasoning: "" };
  const calls: Record<number, { id: string; name: string; arguments: string }> = {};
  try {
    for await (const delta of deltas) {
      if (delta.kind === "tool-call") {
        const { id, name, index } = delta;
        const call = (calls[index] ??= { id: "", name: "", arguments: "" });
        call.id = id ?? call.id;
        call.name = name ?? call.name;
        call.arguments += delta.arguments;
      } else {
        texts[delta.kind] += delta.text;
      }
    }
  } catch (error) {
    // How it failed is in its end.
    if (!(error instanceof ClientError)) throw error;
  }
  return { ...texts, toolCalls: Object.values(calls), ...(await end) };
}
