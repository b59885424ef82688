/**
 * Owns what the events of a stream of topics mean. Refuses to know how they came.
 */
import { check } from "../flow/check.ts";
import { parseJson } from "../flow/parse-json.ts";
import type { TopicEvent } from "./transport.ts";
import type { TopicItem, TopicMessage, TopicOptions } from "./types.ts";

/** The name of an event whose publisher gave none. */
const DEFAULT_EVENT = "message";

/** The item that an event is; none for what says nothing to the application. */
export function readTopicEvent(
  { id: position = "", event = DEFAULT_EVENT, data: text }: TopicEvent,
  topics: readonly string[],
  { schema, format }: Pick<TopicOptions, "schema" | "format">,
): readonly TopicItem[] | Promise<readonly TopicItem[]> {
  // Of an error, the end of the response follows, which says what to do.
  if (text === undefined || event === "error") return [];
  const isOwn = event === "gap" || event === "end";
  // An event of several topics is wrapped with its topic's name.
  const isWrapped = topics.length > 1;
  const { topic = topics[0] ?? "", data } = (
    isWrapped ? parseJson(text) : { data: isOwn ? parseJson(text) : readData(text, format) }
  ) as { readonly topic?: string; readonly data?: unknown };
  // What the stream says itself is in the server's words.
  if (isOwn) return [{ ...(data as object), kind: event, topic, position } as TopicItem];
  return check(schema, { event, data, position }, (checked): TopicMessage => ({
    kind: "message",
    topic,
    event,
    data: checked,
    position,
  }));
}

/** A topic of texts is not JSON, and its stream does not say what it is. */
function readData(text: string, format: TopicOptions["format"]): unknown {
  if (format === "text") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
