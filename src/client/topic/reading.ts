/**
 * Owns a topic, or several over one connection, as an application reads them: from events to items,
 * each once. Refuses to know what carries the events.
 */
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import { Reading } from "../flow/reading.ts";
import { call } from "../http/request.ts";
import { newId } from "../new-id.ts";
import { readTopicEvent } from "./read-event.ts";
import type { TopicEvent, TopicResume, TopicTransport } from "./transport.ts";
import type { Topic, TopicItem, TopicOptions, TopicReceipt } from "./types.ts";

/** Items that are read ahead of an application that does not say how many. */
const DEFAULT_WINDOW = 256;

export class TopicReading extends Reading<TopicItem, TopicResume> implements Topic {
  readonly topics: readonly string[];
  readonly #options: TopicOptions;

  constructor(
    context: Context,
    transport: TopicTransport,
    topics: readonly string[],
    options: TopicOptions,
  ) {
    super(context, transport, options.after);
    this.topics = topics;
    this.#options = options;
  }

  async publish(
    event: string,
    data: unknown,
    { id = newId(), signal }: { readonly id?: string; readonly signal?: AbortSignal } = {},
  ): Promise<TopicReceipt> {
    const state = this.state.get();
    if (state.kind === "closed" && state.because === "closed") {
      throw new ClientError(state.because, state.message);
    }
    // Its id makes repeating harmless.
    const answer = (await call(this.context, {
      path: `/v1/topics/${encodeURIComponent(this.topics[0] ?? "")}`,
      body: { event, data, id },
      signal,
    })) as { readonly position?: unknown };
    return { position: String(answer.position) };
  }

  protected resumeAfter(after: string | undefined): TopicResume {
    const { from = "start", window = DEFAULT_WINDOW } = this.#options;
    return { after, from, window };
  }

  event(event: TopicEvent): void {
    const { topics } = this;
    this.arrive(event, readTopicEvent(event, topics, this.#options));
    if (event.event === "end" && topics.length === 1) {
      this.connection.stop("ended", "It has ended.");
    }
  }
}
