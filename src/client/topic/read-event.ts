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
  const [only = ""] = topics;
  // An event of several topics is wrapped with its topic's name.
  const { topic = only, data } = (
    topics.length > 1
      ? (parseJson(text) ?? {})
      : { data: isOwn ? parseJson(text) : readData(text, format) }
  ) as { readonly topic?: string; readonly data?: unknown };
  if (isOwn) return [readOwn(event, topic, data ?? {}, position)];
  return check(schema, { event, data, position }, (checked): TopicMessage => ({
    kind: "message",
    topic,
    event,
    data: checked,
    position,
  }));
}

/** What the stream says itself. */
function readOwn(
  kind: "gap" | "end",
  topic: string,
  fields: Partial<Record<"outcome" | "data" | "reason" | "from" | "to", unknown>>,
  position: string,
): TopicItem {
  const { outcome, data, reason, from, to } = fields;
  if (kind === "end") return { kind, topic, outcome: String(outcome), data, position };
  return {
    kind,
    topic,
    reason: reason === "epoch" || reason === "future" ? reason : "trimmed",
    from: String(from),
    to: String(to),
    position,
  };
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
