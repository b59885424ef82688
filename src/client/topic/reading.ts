/**
 * Owns a topic, or several over one connection, as an application reads them: from events to items,
 * each once. Refuses to know what carries the events.
 */
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import { readingOf } from "../flow/reading.ts";
import { WINDOW } from "../http/event-stream.ts";
import { call } from "../http/request.ts";
import { newId } from "../new-id.ts";
import { readTopicEvent } from "./read-event.ts";
import type { TopicResume, TopicTransport } from "./transport.ts";
import type { Topic, TopicItem, TopicOptions } from "./types.ts";

/** The topics as these options say. */
export function readTopics(
  context: Context,
  transport: TopicTransport,
  topics: readonly string[],
  options: TopicOptions,
): Topic {
  const { after, from = "start", window = WINDOW } = options;
  const [topic = ""] = topics;
  const [reading] = readingOf<TopicItem, TopicResume>(context, transport, after, {
    resume: (position) => ({ after: position, from, window }),
    read: (event) => readTopicEvent(event, topics, options),
    end: ({ event }) => (event === "end" && topics.length === 1 ? "It has ended." : undefined),
    closed(because, message, inbox) {
      if (because === "closed") inbox.close();
      else inbox.finish(because === "ended" ? undefined : new ClientError(because, message));
    },
  });
  return Object.assign(reading, {
    topics,
    async publish(
      event: string,
      data: unknown,
      { id = newId(), signal }: { readonly id?: string; readonly signal?: AbortSignal } = {},
    ) {
      const state = reading.state.get();
      if (state.kind === "closed" && state.because === "closed") {
        throw new ClientError(state.because, state.message);
      }
      // Its id makes repeating harmless.
      const answer = (await call(context, {
        path: `/v1/topics/${encodeURIComponent(topic)}`,
        body: { event, data, id },
        signal,
      })) as { readonly position?: unknown };
      return { position: String(answer.position) };
    },
  });
}
