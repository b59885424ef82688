/**
 * Owns what the events of a stream of topics mean. Refuses to know how they came.
 */
import { ClientError } from "../errors.ts";
import { check, type Unchecked } from "../flow/check.ts";
import type { Gap } from "../items.ts";
import type { TopicEvent } from "./transport.ts";
import type { TopicItem, TopicMessage, TopicOptions } from "./types.ts";

/** The name of an event whose publisher gave none. */
const DEFAULT_EVENT = "message";

/** The item that an event with data is; undefined for what says nothing to the application. */
export function readTopicEvent(
  { id, event = DEFAULT_EVENT, data = "" }: TopicEvent,
  topics: readonly string[],
  { schema, format }: Pick<TopicOptions, "schema" | "format">,
): TopicItem | Promise<TopicItem> | undefined {
  const position = id ?? "";
  switch (event) {
    // The end of the response follows, which says what to do.
    case "error":
      return undefined;
    case "gap":
      return readGap(unwrap(parse(data), topics), position);
    case "end": {
      const { topic, data: end } = unwrap(parse(data), topics);
      const { outcome, data: last } = (end ?? {}) as Partial<Record<string, unknown>>;
      return { kind: "end", topic, outcome: String(outcome), data: last, position };
    }
    default: {
      const read =
        topics.length > 1
          ? unwrap(parse(data), topics)
          : { topic: topics[0] ?? "", data: format === "text" ? data : tryParse(data) };
      const unchecked: Unchecked = { event, data: read.data, position };
      return check(schema, unchecked, (value): TopicMessage => ({
        kind: "message",
        topic: read.topic,
        event,
        data: value,
        position,
      }));
    }
  }
}

/** Some data, and the topic it is of. */
interface Wrapped {
  readonly topic: string;
  readonly data: unknown;
}

function readGap({ topic, data }: Wrapped, position: string): Gap {
  const { reason, from, to } = (data ?? {}) as Partial<Record<string, unknown>>;
  return {
    kind: "gap",
    topic,
    reason: reason === "epoch" || reason === "future" ? reason : "trimmed",
    from: String(from),
    to: String(to),
    position,
  };
}

/** The event of one of several topics is wrapped with its topic's name. */
function unwrap(json: unknown, topics: readonly string[]): Wrapped {
  if (topics.length <= 1) return { topic: topics[0] ?? "", data: json };
  const { topic, data } = (json ?? {}) as { readonly topic?: unknown; readonly data?: unknown };
  return { topic: typeof topic === "string" ? topic : "", data };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new ClientError("bad_answer", "An event of the stream is no JSON.");
  }
}

/** A topic of texts is not JSON, and its stream does not say what it is. */
function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
