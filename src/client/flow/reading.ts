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
  protected readonly inbox = new Inbox<Item, string>(this);
  protected readonly connection: Connection<TopicTaken>;
  /** After the last item that a reader took. */
  position: string | undefined;

  constructor(
    context: Context,
    transport: Transport<Resume, TopicEvent, TopicTaken>,
    after: string | undefined,
  ) {
    this.context = context;
    this.position = after;
    this.connection = connectionOf(context, transport, this);
  }

  abstract resume(): Resume;

  abstract event(event: TopicEvent): void;

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
    // What came of one event is taken with the last of it.
    if (position === undefined) return;
    this.position = position;
    this.taken();
  }

  closed(because: string, message: string): void {
    if (because === "closed") this.inbox.close();
    else this.inbox.finish(because === "ended" ? undefined : new ClientError(because, message));
  }

  /** An event is taken, and one more may come. */
  protected taken(): void {
    this.connection.send({ kind: "taken", count: 1 });
  }

  /** Where to go on. What nobody has begun with comes again, so that it is held only once. */
  protected rewind(): string | undefined {
    return this.inbox.rewind() ?? this.position;
  }
}
