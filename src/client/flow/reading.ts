/**
 * Owns what event streams have in common for those who read them: a connection that fills an inbox,
 * which is read by iteration and callback, and rests while nobody does. Refuses to know what the
 * events mean.
 */
import { type Connection, connectionOf } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import { ClientError } from "../errors.ts";
import type { Readable } from "../items.ts";
import type { ConnectionState, Observable, Unsubscribe } from "../state.ts";
import type { TopicEvent, TopicTaken } from "../topic/transport.ts";
import type { Transport } from "../transport.ts";
import { subscribe } from "./consume.ts";
import { Inbox } from "./inbox.ts";

export abstract class Reading<Item, Resume> implements Readable<Item> {
  protected readonly context: Context;
  protected readonly inbox = new Inbox<Item, string | undefined>(this);
  protected readonly connection: Connection<TopicTaken>;
  /** After the last item that a reader took. */
  position: string | undefined;
  /** Everything up to here has arrived. */
  #received: string | undefined;

  constructor(
    context: Context,
    transport: Transport<Resume, TopicEvent, TopicTaken>,
    after: string | undefined,
  ) {
    this.context = context;
    this.position = after;
    this.connection = connectionOf(context, transport, this);
  }

  abstract event(event: TopicEvent): void;

  /** How the transport is asked to go on there. */
  protected abstract resumeAfter(position: string | undefined): Resume;

  /** What nobody has begun with comes again, so that it is held only once. */
  resume(): Resume {
    this.#received = this.inbox.rewind() ?? this.position;
    return this.resumeAfter(this.#received);
  }

  get state(): Observable<ConnectionState> {
    return this.connection.state;
  }

  [Symbol.asyncIterator](): AsyncIterator<Item, undefined> {
    return this.inbox.read();
  }

  subscribe(take: (item: Item) => void | Promise<void>): Unsubscribe {
    return subscribe(this.inbox, take);
  }

  close(): void {
    this.connection.stop("closed", "The application closed it.");
  }

  wanted(): void {
    this.connection.start();
  }

  unwanted(): void {
    this.connection.rest();
  }

  consumed(position: string | undefined): void {
    this.position = position;
    // One more may come.
    this.connection.send({ kind: "taken", count: 1 });
  }

  closed(because: string, message: string): void {
    if (because === "closed") this.inbox.close();
    else this.inbox.finish(because === "ended" ? undefined : new ClientError(because, message));
  }

  /** What an event says has come, and all before it. */
  protected arrive({ id }: TopicEvent, items: readonly Item[] | Promise<readonly Item[]>): void {
    this.#received = id ?? this.#received;
    this.inbox.push(items, this.#received);
  }
}
