/** Owns the door to topics: what `sluice/client/topic` exports. Refuses to know the other surfaces. */
import { contextOf } from "../context.ts";
import type { ClientOptions } from "../options.ts";
import type { AnyEvents } from "../schema.ts";
import { sharedByTabs } from "../share.ts";
import { fetchTopics } from "./fetch-transport.ts";
import { readTopics } from "./reading.ts";
import type { Topic, TopicOptions } from "./types.ts";

/** A topic, or several over one connection. Nothing happens before somebody reads or publishes. */
export function openTopic<Events extends object = AnyEvents>(
  client: ClientOptions,
  topic: string | readonly string[],
  options: TopicOptions<Events> = {},
): Topic<Events> {
  const context = contextOf(client);
  const topics = typeof topic === "string" ? [topic] : topic;
  const direct = fetchTopics(context, topics);
  const transport =
    client.transports?.topic?.(topics) ??
    sharedByTabs(context, "topic", topics[0] ?? "", direct, async () => {
      const { shareTopics } = await import("../tabs/topics.ts");
      return shareTopics(context, topics, direct);
    });
  // What the types of events say is the application's word, or its validators'.
  return readTopics(context, transport, topics, options) as unknown as Topic<Events>;
}
