/**
 * Owns what event streams have in common for those who read them: a connection that fills an inbox,
 * which is read by iteration and callback, and rests while nobody does. Refuses to know what the
 * events mean.
 */
import { type Connection, connectionOf } from "../connection/connection.ts";
import type { Context } from "../context.ts";
import type { Readable } from "../items.ts";
import type { TopicEvent, TopicTaken } from "../topic/transport.ts";
import type { Transport } from "../transport.ts";
import { subscribe } from "./consume.ts";
import { Inbox } from "./inbox.ts";

/** What one reading has of its own. */
export interface ReadingParts<Item, Resume> {
  /** How the transport is asked to go on there. */
  resume(position: string | undefined): Resume;
  /** The items that an event is. */
  read(event: TopicEvent): readonly Item[] | Promise<readonly Item[]>;
  /** Says, for people, that nothing follows the event that was read last. */
  end(event: TopicEvent): string | undefined;
  /** The connection is over for good, and nothing follows what is in the inbox. */
  closed(
    because: string,
    message: string,
    inbox: Inbox<Item, string | undefined>,
  ): void | Promise<void>;
  /** Told of a callback what resolves when it has had the last item. */
  readonly taking?: (taking: Promise<void>) => void;
}

/** What is read by a connection. */
export type Reading<Item> = Readable<Item> & {
  /** After the last item that a reader took. */
  position: string | undefined;
};

/** A reading that nobody has begun with, and the way to start it although nobody reads. */
export function readingOf<Item, Resume>(
  context: Context,
  transport: Transport<Resume, TopicEvent, TopicTaken>,
  after: string | undefined,
  parts: ReadingParts<Item, Resume>,
): readonly [reading: Reading<Item>, start: () => void] {
  /** Everything up to here has arrived. */
  let received: string | undefined;

  const connection: Connection<TopicTaken> = connectionOf(context, transport, {
    resume(): Resume {
      // What nobody has begun with comes again, so that it is held only once.
      received = inbox.rewind() ?? reading.position;
      return parts.resume(received);
    },
    event(event: TopicEvent): void {
      const items = parts.read(event);
      // Told with an event, or alone: either way all before it is here.
      received = event.id ?? received;
      inbox.push(items, received);
      const end = parts.end(event);
      if (end !== undefined) connection.stop("ended", end);
    },
    closed(because, message) {
      void parts.closed(because, message, inbox);
    },
  });

  const inbox: Inbox<Item, string | undefined> = new Inbox({
    consumed(position) {
      reading.position = position;
      // One more may come.
      connection.send({ kind: "taken", count: 1 });
    },
    start: connection.start,
    rest: connection.rest,
  });

  const reading: Reading<Item> = {
    position: after,
    state: connection.state,
    subscribe: (take) => subscribe(inbox, take, parts.taking),
    close() {
      connection.stop("closed", "The application closed it.");
    },
    [Symbol.asyncIterator]: () => inbox.read(),
  };
  return [reading, connection.start];
}
