/** Owns reading an event stream in tests that run inside workerd, at the test's pace. */
import { createParser, type EventSourceMessage } from "eventsource-parser";

/** An event stream whose events are taken one by one; nothing is read ahead. */
export class EventReader {
  readonly response: Response;
  /** All text read so far. */
  text = "";
  /** The last id seen, as a browser would remember it. */
  lastEventId = "";
  ended = false;
  readonly comments: string[] = [];
  retry: number | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  readonly #waiting: EventSourceMessage[] = [];
  readonly #parser = createParser({
    onEvent: (event) => {
      this.#waiting.push(event);
    },
    onComment: (comment) => {
      this.comments.push(comment);
    },
    onRetry: (retry) => {
      this.retry = retry;
    },
  });

  constructor(response: Response) {
    if (response.body === null) throw new Error(`${response.status} without a body`);
    this.response = response;
    const body = response.body as ReadableStream<Uint8Array>;
    this.#reader = body.getReader();
  }

  /** Reads once; false at the end. */
  async read(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done) {
      this.ended = true;
      return false;
    }
    const text = this.#decoder.decode(value, { stream: true });
    this.text += text;
    for (const [, id] of text.matchAll(/^id: (.*)$/gm)) this.lastEventId = id ?? "";
    this.#parser.feed(text);
    return true;
  }

  /** The next event; undefined when the stream has ended. */
  async next(): Promise<EventSourceMessage | undefined> {
    while (this.#waiting.length === 0) if (!(await this.read())) return undefined;
    return this.#waiting.shift();
  }

  /** The data of the next `count` events. */
  async take(count: number): Promise<string[]> {
    const data: string[] = [];
    while (data.length < count) {
      const event = await this.next();
      if (event === undefined) throw new Error(`the stream ended after ${data.length} events`);
      data.push(event.data);
    }
    return data;
  }

  /** Every event until the end. */
  async rest(): Promise<EventSourceMessage[]> {
    const events: EventSourceMessage[] = [];
    for (let event = await this.next(); event !== undefined; event = await this.next()) {
      events.push(event);
    }
    return events;
  }

  /** Leaves, as a closed tab does. */
  async close(): Promise<void> {
    await this.#reader.cancel();
  }
}
