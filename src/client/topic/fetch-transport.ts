/** Owns how topics are read over the network: one event stream, whatever their number. Refuses to know who reads. */
import type { Context } from "../context.ts";
import { openEventStream } from "../http/event-stream.ts";
import type { TopicResume, TopicTransport } from "./transport.ts";

/** Carries these topics by an event stream of their own. */
export function fetchTopics(context: Context, topics: readonly string[]): TopicTransport {
  return {
    open: (attempt, observer) => {
      const { after, from, window } = attempt.resume;
      return openEventStream(
        context,
        attempt,
        {
          path: pathOf(topics, attempt.resume),
          headers: { "last-event-id": after },
          isBehind: after !== undefined || from !== "now",
          window,
        },
        observer,
      );
    },
  };
}

function pathOf(topics: readonly string[], { after, from }: TopicResume): string {
  const query = new URLSearchParams(after === undefined ? { from: String(from) } : {});
  const [topic = ""] = topics;
  if (topics.length === 1) {
    query.set("format", "sse");
    return `/v1/topics/${encodeURIComponent(topic)}?${String(query)}`;
  }
  for (const name of topics) query.append("topic", name);
  return `/v1/topics?${String(query)}`;
}
