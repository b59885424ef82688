/**
 * Owns what applications see of topics. Refuses to know how it gets here.
 */
import type { Gap, Invalid, Readable } from "../items.ts";
import type { AnyEvents, EventName, SchemaMap } from "../schema.ts";

/** An event of a topic. `Events` says which data each name has. */
export type TopicMessage<Events extends object = AnyEvents> = {
  readonly [Name in EventName<Events>]: {
    readonly kind: "message";
    readonly topic: string;
    /** The event's name; `message` when its publisher gave none. */
    readonly event: Name;
    readonly data: Events[Name];
    /** Reading can go on after it, from anywhere. Opaque. */
    readonly position: string;
  };
}[EventName<Events>];

/** A topic was closed: its last item. Reading ends when all topics have. */
export interface TopicEnd {
  readonly kind: "end";
  readonly topic: string;
  /** `completed`, `stopped` or `failed`; a newer server may say more. */
  readonly outcome: string;
  /** What its owner said about the end. */
  readonly data: unknown;
  readonly position: string;
}

/** What reading a topic gives. */
export type TopicItem<Events extends object = AnyEvents> =
  | TopicMessage<Events>
  | Gap
  | Invalid
  | TopicEnd;

/** How a topic is read. */
export interface TopicOptions<Events extends object = AnyEvents> {
  /** Where to begin: at the oldest event that is kept (the default), now, or with so many of the newest. */
  readonly from?: "start" | "now" | number;
  /** A position to go on after; `from` does not count then. */
  readonly after?: string;
  /** A validator for each event's data; an event that has none, or fails, becomes an `invalid` item. */
  readonly schema?: SchemaMap<Events>;
  /**
   * What events hold: `json` (the default; what is no JSON is given as text), or `text`, also for topics
   * of bytes, which arrive as base64.
   */
  readonly format?: "json" | "text";
  /** Items that are read ahead of the application. Default 256. */
  readonly window?: number;
}

/** What an event was stored as. */
export interface TopicReceipt {
  readonly position: string;
}

/** One topic, or several that share one connection and one position. */
export interface Topic<Events extends object = AnyEvents> extends Readable<TopicItem<Events>> {
  readonly topics: readonly string[];
  /** After the last item that a reader took; undefined before the first. Keep it to go on later. */
  readonly position: string | undefined;
  /**
   * Publishes an event to the (first) topic; resolves when it is durable. Repeated while the network or
   * server is in trouble; its `id`, made up when left out, keeps it from being stored twice.
   */
  publish<Name extends EventName<Events>>(
    event: Name,
    data: Events[Name],
    options?: { readonly id?: string; readonly signal?: AbortSignal },
  ): Promise<TopicReceipt>;
}
