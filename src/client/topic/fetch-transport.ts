/** Owns how topics are read over the network: one event stream, whatever their number. Refuses to know who reads. */
import type { Context } from "../context.ts";
import { eventStreams } from "../http/event-stream.ts";
import type { TopicResume, TopicTransport } from "./transport.ts";

/** Carries these topics by an event stream of their own. */
export function fetchTopics(context: Context, topics: readonly string[]): TopicTransport {
  return eventStreams(context, (resume: TopicResume) => ({
    path: pathOf(topics, resume),
    headers: { "last-event-id": resume.after },
    isBehind: resume.after !== undefined || resume.from !== "now",
    window: resume.window,
  }));
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
