/**
 * Owns what topics, their idempotent producers and their forks should be, in the simplest words: lists
 * and sets. Refuses to know how any of it is stored and when it is told.
 */
import type { Append } from "../../../durable-objects/topic/appending.ts";
import type { ProducerStamp } from "../../../durable-objects/topic/producers.ts";

/** A topic that exists. */
export interface ModelTopic {
  readonly data: string[];
  readonly producers: Map<string, { epoch: number; seq: number }>;
  readonly source: string | undefined;
  readonly expiresAt: number | undefined;
  ended: { readonly by: ProducerStamp | undefined } | undefined;
}

export class Model {
  readonly topics = new Map<string, ModelTopic>();
  /** Forks that a name has, beyond the end of its topic. */
  readonly #forks = new Map<string, Set<string>>();
  /** Whom a deleted topic leaves when its last fork is no more. */
  readonly #origins = new Map<string, string>();

  /** Whether a name is kept although its topic was deleted. */
  isGone(name: string): boolean {
    return !this.topics.has(name) && this.forksOf(name).size > 0;
  }

  forksOf(name: string): Set<string> {
    const known = this.#forks.get(name) ?? new Set();
    this.#forks.set(name, known);
    return known;
  }

  create(
    name: string,
    { source, data = [], expiresAt }: { source?: string; data?: string[]; expiresAt?: number },
  ): ModelTopic {
    const topic = { data, producers: new Map(), source, expiresAt, ended: undefined };
    this.topics.set(name, topic);
    if (source !== undefined) this.forksOf(source).add(name);
    return topic;
  }

  /** What an append should answer; does what it says. */
  append(
    name: string,
    data: readonly string[],
    request: Pick<Append, "producer" | "close">,
  ): string {
    const topic = this.topics.get(name);
    if (topic === undefined) return "missing";
    const { producer, close } = request;
    if (topic.ended !== undefined) {
      const { by } = topic.ended;
      if (by !== undefined && JSON.stringify(by) === JSON.stringify(producer)) return "duplicate";
      return data.length === 0 && close !== undefined ? "appended" : "closed";
    }
    if (producer !== undefined) {
      const refusal = judge(topic.producers.get(producer.id), producer);
      if (refusal !== undefined) return refusal;
      topic.producers.set(producer.id, { epoch: producer.epoch, seq: producer.seq });
    }
    topic.data.push(...data);
    if (close !== undefined) topic.ended = { by: producer };
    return "appended";
  }

  delete(name: string): boolean {
    const topic = this.topics.get(name);
    if (topic === undefined) return false;
    this.topics.delete(name);
    if (topic.source === undefined) return true;
    if (this.forksOf(name).size > 0) this.#origins.set(name, topic.source);
    else this.#leave(topic.source, name);
    return true;
  }

  /** Deletes what is past its time. */
  expire(now: number): void {
    for (const [name, { expiresAt }] of this.topics) {
      if (expiresAt !== undefined && expiresAt <= now) this.delete(name);
    }
  }

  #leave(source: string, name: string): void {
    this.forksOf(source).delete(name);
    const origin = this.#origins.get(source);
    if (origin === undefined || this.forksOf(source).size > 0) return;
    this.#origins.delete(source);
    this.#leave(origin, source);
  }
}

function judge(
  known: { readonly epoch: number; readonly seq: number } | undefined,
  { epoch, seq }: ProducerStamp,
): string | undefined {
  if (known === undefined) return seq === 0 ? undefined : "producer_ahead";
  if (epoch !== known.epoch) {
    if (epoch < known.epoch) return "producer_stale";
    return seq === 0 ? undefined : "producer_invalid";
  }
  if (seq <= known.seq) return "duplicate";
  return seq === known.seq + 1 ? undefined : "producer_ahead";
}
