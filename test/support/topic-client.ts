/**
 * Owns a topic as a backend and a hand-written `fetch` reader use it, over real sockets. Refuses to
 * import anything of the Worker.
 */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { until } from "./until.ts";

/** An event as a publisher writes it. */
interface Publishable {
  readonly data: unknown;
  readonly event?: string;
  readonly id?: string;
}

/** One topic of a server, which may come back elsewhere. */
export class TopicClient {
  readonly name: string;
  readonly #origin: () => string;

  constructor(origin: () => string, name: string) {
    this.#origin = origin;
    this.name = name;
  }

  get url(): string {
    return `${this.#origin()}/v1/topics/${this.name}`;
  }

  async create(settings: unknown): Promise<void> {
    await this.#send("", settings, { method: "PUT" });
  }

  /** Publishes what must succeed at once, and returns its last position. */
  async publish(events: Publishable | readonly Publishable[]): Promise<string> {
    return (await this.#send("", events)).position;
  }

  async close(ending: unknown = {}): Promise<void> {
    await this.#send("/close", ending);
  }

  async page(query = ""): Promise<{ events: readonly { data: unknown; position: string }[] }> {
    return (await (await fetch(this.url + query)).json()) as Awaited<ReturnType<typeof this.page>>;
  }

  async stats(): Promise<Readonly<Record<string, number>>> {
    return (await (await fetch(`${this.url}/stats`)).json()) as Record<string, number>;
  }

  /** Subscribes; resolves when the answer's head is there. */
  async read(query = "", lastEventId?: string): Promise<TopicReader> {
    const controller = new AbortController();
    const response = await fetch(this.url + query, {
      signal: controller.signal,
      headers: {
        accept: "text/event-stream",
        ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
      },
    });
    return new TopicReader(response, controller);
  }

  async #send(
    path: string,
    body: unknown,
    init: RequestInit = { method: "POST" },
  ): Promise<{ position: string }> {
    const response = await fetch(this.url + path, { ...init, body: JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    return JSON.parse(text) as { position: string };
  }
}

/** A reader that takes whatever comes as it comes. */
export class TopicReader implements Disposable {
  readonly status: number;
  readonly events: EventSourceMessage[] = [];
  isOver = false;
  readonly #controller: AbortController;

  constructor(response: Response, controller: AbortController) {
    this.status = response.status;
    this.#controller = controller;
    void this.#readAll(response);
  }

  /** The events' data, parsed. */
  get data(): readonly unknown[] {
    return this.events.map(({ data }) => JSON.parse(data) as unknown);
  }

  /** Waits until there are `count` events. */
  async has(count: number): Promise<void> {
    await until(
      `${count} events`,
      () => this.events.length >= count,
      () => JSON.stringify(this.events.slice(-3)),
    );
  }

  [Symbol.dispose](): void {
    this.#controller.abort();
  }

  async #readAll(response: Response): Promise<void> {
    const parser = createParser({ onEvent: (event) => this.events.push(event) });
    const decoder = new TextDecoder();
    try {
      for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        parser.feed(decoder.decode(bytes, { stream: true }));
      }
    } catch {
      // Cut off: what was read counts.
    }
    this.isOver = true;
  }
}
