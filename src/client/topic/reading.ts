/**
 * Owns a topic, or several over one connection, as an application reads them: from the events of a
 * connection to items in an inbox, each once. Refuses to know what carries the events.
 */
import { Connection } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import { iterate, subscribe, subscribePaced } from "../flow/consume.ts";
import { Inbox } from "../flow/inbox.ts";
import { InOrder } from "../flow/in-order.ts";
import type { Pace } from "../items.ts";
import type { ConnectionState, Observable, Unsubscribe } from "../state.ts";
import { publishTo } from "./publish.ts";
import { readTopicEvent } from "./read-event.ts";
import type { TopicEvent, TopicResume, TopicTaken, TopicTransport } from "./transport.ts";
import type { Topic, TopicItem, TopicOptions, TopicReceipt } from "./types.ts";

/** Items that are read ahead of an application that does not say how many. */
const DEFAULT_WINDOW = 256;

export class TopicReading implements Topic {
  readonly topics: readonly string[];
  readonly #context: Context;
  readonly #options: TopicOptions;
  readonly #connection: Connection<TopicResume, TopicEvent, TopicTaken>;
  readonly #inbox: Inbox<TopicItem, string>;
  readonly #arriving = new InOrder();
  /** Everything up to here has arrived. */
  #received: string | undefined;
  #position: string | undefined;
  constructor(
    context: Context,
    transport: TopicTransport,
    topics: readonly string[],
    options: TopicOptions,
  ) {
    this.topics = topics;
    this.#context = context;
    this.#options = options;
    this.#received = options.after;
    this.#position = options.after;
    const { from = "start", window = DEFAULT_WINDOW } = options;
    this.#inbox = new Inbox({
      consumed: (position) => {
        this.#position = position;
        this.#connection.send({ kind: "taken", count: 1 });
      },
      wanted: () => {
        this.#connection.start();
      },
      unwanted: () => {
        this.#connection.rest();
      },
    });
    this.#connection = new Connection({
      context,
      transport,
      resume: () => ({ after: this.#rewind(), from, window }),
      event: (event) => {
        this.#take(event);
      },
      closed: (because, message) => {
        this.#finish(because, message);
      },
    });
  }

  get state(): Observable<ConnectionState> {
    return this.#connection.state;
  }

  get position(): string | undefined {
    return this.#position;
  }

  [Symbol.asyncIterator](): AsyncIterator<TopicItem, undefined> {
    return iterate(this.#inbox);
  }

  subscribe(take: (item: TopicItem) => void | Promise<void>): Unsubscribe {
    return subscribe(this.#inbox, take);
  }

  subscribePaced(take: (items: readonly TopicItem[]) => void, pace?: Pace): Unsubscribe {
    return subscribePaced(this.#inbox, take, pace);
  }

  async publish(
    event: string,
    data: unknown,
    options: { readonly id?: string; readonly signal?: AbortSignal } = {},
  ): Promise<TopicReceipt> {
    return await publishTo(this.#context, this.topics[0] ?? "", { event, data, ...options });
  }

  close(): void {
    this.#connection.stop("closed", "The application closed it.");
  }

  #take(event: TopicEvent): void {
    const { topics } = this;
    const { format = "json", schema } = this.#options;
    // Newer than what was told with it, or told alone: either way all before it is here.
    this.#received = event.id ?? this.#received;
    const item =
      event.data === undefined
        ? undefined
        : readTopicEvent(event, { topics, schemas: schema, format });
    if (item === undefined) {
      this.#connection.send({ kind: "taken", count: 1 });
      // With nothing unread, the application has everything up to here.
      if (this.#inbox.isEmpty && this.#arriving.isEmpty) this.#position = this.#received;
      return;
    }
    const position = this.#received;
    this.#arriving.add(item, (arrived) => {
      this.#inbox.push(arrived, position);
    });
    if (event.event === "end" && topics.length === 1) {
      this.#connection.stop("ended", "The topic has ended.");
    }
  }

  /** What nobody has begun with comes again, so that it is held once and not once for each connection. */
  #rewind(): string | undefined {
    this.#arriving.clear();
    this.#received = this.#inbox.rewind() ?? this.#position;
    return this.#received;
  }

  /** After what has arrived, there is nothing. */
  #finish(because: string, message: string): void {
    if (because === "closed") {
      this.#inbox.close();
      return;
    }
    const error = because === "ended" ? undefined : new ClientError(because, message);
    this.#arriving.add(error, () => {
      this.#inbox.finish(error);
    });
  }
}
