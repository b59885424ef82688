/** Owns how tabs share topics: a connection for each set of them. Loaded by the first page that shares one. */
import type { Context } from "../context.ts";
import { fetchTopics } from "../topic/fetch-transport.ts";
import type { TopicTransport } from "../topic/transport.ts";
import { carryByTabs } from "./carry.ts";
import { surfaceOf } from "./seat.ts";
import { TopicLine } from "./topic-line.ts";

const surface = surfaceOf("topic", (context, { topics }, upstream) => {
  const line = new TopicLine(upstream(fetchTopics(context, topics)));
  const names = JSON.stringify(topics);
  return { line, serves: (target) => JSON.stringify(target.topics) === names };
});

/** Carries some topics by way of the tabs. @param direct connections of this tab's own. */
export function shareTopics(
  context: Context,
  topics: readonly string[],
  direct: TopicTransport,
): TopicTransport {
  return carryByTabs(context, {
    surface,
    direct,
    targetOf: (resume) => ({ surface: "topic", topics, resume }),
  });
}
