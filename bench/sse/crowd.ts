/**
 * Owns many subscribers of one topic as one: joining, publishing, and the moment when all have
 * everything. Fails when one of them missed, repeated or reordered something. Refuses to know peers.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { now } from "../support/load-socket.ts";
import { Gathering } from "../support/gathering.ts";
import { Subscriber, eventText } from "./subscriber.ts";

/** A topic at a peer. */
export interface Topic {
  /** Where readers of what comes connect, and those of everything that is kept. */
  readonly url: (from: "now" | "start") => URL;
  /** See {@link Subscriber}. */
  readonly opening: string;
  /** Publishes events with one request, where the peer takes several. */
  readonly publish: (texts: readonly string[]) => Promise<void>;
}

/** Connections that are being opened at a time. */
const JOINING_AT_ONCE = 64;

/** Milliseconds after which something that should have happened has failed. */
const PATIENCE_MS = 600_000;

export class Crowd implements Disposable {
  readonly #topic: Topic;
  readonly #size: number;
  readonly #subscribers: Subscriber[] = [];
  #published = 0;
  readonly #gathering: Gathering;

  /** Opens all connections; resolves when the last of them is in. */
  static async join(topic: Topic, size: number, from: "now" | "start" = "now"): Promise<Crowd> {
    const crowd = new Crowd(topic, size);
    const { events } = crowd.#gathering;
    try {
      await crowd.#gathering.fill(size, JOINING_AT_ONCE, () => {
        crowd.#subscribers.push(new Subscriber(topic.url(from), topic.opening, events));
      });
    } catch (error) {
      crowd[Symbol.dispose]();
      throw error;
    }
    return crowd;
  }

  private constructor(topic: Topic, size: number) {
    this.#topic = topic;
    this.#size = size;
    this.#gathering = new Gathering(topic.url("now").href, PATIENCE_MS);
  }

  /**
   * Publishes `count` events at once; returns the milliseconds until all subscribers have all of them.
   *
   * @param publishers requests at a time with an event each; 0 for one request with all of them.
   */
  async burst(count: number, publishers = 0): Promise<number> {
    const sentAt = now();
    const texts = Array.from({ length: count }, (_, nth) =>
      eventText(this.#published + nth, sentAt),
    );
    this.#published += count;
    const startedAt = now();
    const published =
      publishers === 0 ? this.#topic.publish(texts) : this.#publishSingly(texts, publishers);
    await this.#complete();
    const ms = now() - startedAt;
    await published;
    this.#check();
    return ms;
  }

  /** Publishes `count` events, one every `everyMs`; returns the delay of each delivery. */
  async pace(count: number, everyMs: number): Promise<readonly number[]> {
    this.#gathering.delays = [];
    for (const subscriber of this.#subscribers) subscriber.timed = true;
    const beganAt = now();
    const published: Promise<void>[] = [];
    for (let nth = 0; nth < count; nth += 1) {
      await sleep(Math.max(0, beganAt + nth * everyMs - now()));
      published.push(this.#topic.publish([eventText(this.#published, now())]));
      this.#published += 1;
    }
    await this.#complete();
    await Promise.all(published);
    for (const subscriber of this.#subscribers) subscriber.timed = false;
    this.#check();
    return this.#gathering.delays;
  }

  /** Resolves when everyone has the `count` events that were there before. */
  async catchUp(count: number): Promise<void> {
    this.#published = count;
    await this.#complete();
    this.#check();
  }

  [Symbol.dispose](): void {
    for (const subscriber of this.#subscribers) subscriber[Symbol.dispose]();
  }

  async #publishSingly(texts: readonly string[], publishers: number): Promise<void> {
    let next = 0;
    const publisher = async (): Promise<void> => {
      for (let text = texts[next]; text !== undefined; text = texts[next]) {
        next += 1;
        await this.#topic.publish([text]);
      }
    };
    await Promise.all(Array.from({ length: publishers }, publisher));
  }

  async #complete(): Promise<void> {
    await this.#gathering.until(() => this.#gathering.heard >= this.#published * this.#size);
  }

  /** The first has every event once, and all others the same in the same order. */
  #check(): void {
    const [first] = this.#subscribers;
    const sum = (this.#published * (this.#published - 1)) / 2;
    const isWhole = first?.sum === sum && this.#gathering.heard === this.#published * this.#size;
    if (isWhole && this.#subscribers.every(({ order }) => order === first.order)) return;
    throw new Error(`${this.#topic.url("now").href}: not everyone got every event once in order.`);
  }
}
