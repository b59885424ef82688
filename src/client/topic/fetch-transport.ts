/** Owns how topics are read over the network: one event stream, whatever their number. Refuses to know who reads. */
import type { Context } from "../context.ts";
import { eventStreams } from "../http/event-stream.ts";
import type { TopicResume, TopicTransport } from "./transport.ts";

/** Carries these topics by an event stream of their own. */
export function fetchTopics(context: Context, topics: readonly string[]): TopicTransport {
  return eventStreams(context, (resume: TopicResume) => ({
    path: pathOf(topics, resume),
    after: resume.after,
    isBehind: resume.after !== undefined || resume.from !== "now",
    window: resume.window,
  }));
}

function pathOf(topics: readonly string[], { after, from }: TopicResume): string {
  const [first = "", ...others] = topics.map(encodeURIComponent);
  const begin = after === undefined ? `from=${from}&` : "";
  return others.length === 0
    ? `/v1/topics/${first}?${begin}format=sse`
    : `/v1/topics?${begin}topic=${[first, ...others].join("&topic=")}`;
}
