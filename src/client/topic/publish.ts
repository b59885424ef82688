/** Owns publishing to a topic from here. Refuses to know how a topic is read. */
import type { Context } from "../context.ts";
import { call } from "../http/request.ts";
import type { TopicReceipt } from "./types.ts";

/** An event to publish. */
export interface NewTopicEvent {
  readonly event: string;
  readonly data: unknown;
  readonly id?: string;
  readonly signal?: AbortSignal;
}

/**
 * Publishes; resolves when the event is durable. Its id makes repeating harmless.
 *
 * @throws ClientError what the server has against it, or the last trouble on the way.
 */
export async function publishTo(
  context: Context,
  topic: string,
  { event, data, id = crypto.randomUUID(), signal }: NewTopicEvent,
): Promise<TopicReceipt> {
  const answer = (await call(context, {
    path: `/v1/topics/${encodeURIComponent(topic)}`,
    body: { event, data, id },
    signal,
  })) as { readonly position?: unknown };
  return { position: String(answer.position) };
}
