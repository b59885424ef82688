/** Owns the reading of an event stream as a plain `fetch` client does it. Refuses to know what the events mean. */
import { type EventSourceMessage, createParser } from "eventsource-parser";

/** What a client saw of a stream until it ended, in whatever way. */
export interface SeenStream {
  readonly events: readonly EventSourceMessage[];
  readonly comments: readonly string[];
  /** The bytes as text. */
  readonly text: string;
  /** Whether the connection broke instead of ending. */
  readonly broken: boolean;
}

/** Reads to the end. */
export async function readEventStream(response: Response): Promise<SeenStream> {
  const events: EventSourceMessage[] = [];
  const comments: string[] = [];
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onComment: (comment) => comments.push(comment),
  });
  const decoder = new TextDecoder();
  let text = "";
  let broken = false;
  try {
    for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      const piece = decoder.decode(bytes, { stream: true });
      text += piece;
      parser.feed(piece);
    }
  } catch {
    broken = true;
  }
  return { events, comments, text, broken };
}

/** What an `/api/chat` client makes of it: the joined content, and the one end. */
export function asSimpleAnswer({ events }: SeenStream): {
  readonly content: string;
  readonly ends: readonly string[];
} {
  let content = "";
  const ends: string[] = [];
  for (const { event, data } of events) {
    if (data === "[DONE]") {
      ends.push("[DONE]");
      continue;
    }
    const value = JSON.parse(data) as { readonly content?: string; readonly code?: string };
    if (event === "error") ends.push(`error ${value.code ?? "?"}`);
    else content += value.content ?? "";
  }
  return { content, ends };
}
