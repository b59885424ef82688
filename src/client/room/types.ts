/**
 * Owns what applications see of rooms. Refuses to know how it gets here.
 */
import type { Gap, Invalid, Readable } from "../items.ts";
import type { Outbox, OutboxStorage } from "../outbox/types.ts";
import type { AnyEvents, EventName, SchemaMap } from "../schema.ts";
import type { Observable } from "../state.ts";

/** A message to everyone in the room. `Events` says which payload each name has. */
export type RoomMessage<Events extends object = AnyEvents> = MessageOf<"message", Events>;

/** A message to this member alone. */
export type DirectMessage<Events extends object = AnyEvents> = MessageOf<"direct", Events>;

/** A message of a room: one type for each name of an event. */
export type MessageOf<Kind extends string, Events extends object> = {
  readonly [Name in EventName<Events>]: {
    readonly kind: Kind;
    readonly event: Name;
    readonly payload: Events[Name];
    /** Who sent it; "" for a backend without a name. */
    readonly sender: string;
    /** Milliseconds since 1970 by the server's clock. */
    readonly at: number;
    /** The id its sender gave it. */
    readonly id: string;
    /** Where it stands in the room's log; of a direct message, its mail number. */
    readonly seq: number;
    /** Reading can go on after it; of a direct message, the position of the room when it came. */
    readonly position: string;
  };
}[EventName<Events>];

/** What reading a room gives. */
export type RoomItem<Events extends object = AnyEvents> =
  | RoomMessage<Events>
  | DirectMessage<Events>
  | Gap
  | Invalid;

/** How a room is joined. */
export interface RoomOptions<Events extends object = AnyEvents, State = unknown> {
  /** The member's name, where no token decides it. */
  readonly member?: string;
  /** How many of the newest messages to begin with. Default 0. */
  readonly history?: number;
  /** Where to go on, as {@link Room.position} said; `history` does not count then. */
  readonly after?: string;
  /** The last direct message that the application has, as {@link Room.mail} said; only beside `after`. */
  readonly mail?: number;
  /** What this member shows the others at first. */
  readonly presence?: State;
  /** A validator for each event's payload; an event that has none, or fails, becomes an `invalid` item. */
  readonly schema?: SchemaMap<Events>;
  /** Messages and bytes that the server may send ahead of the application. */
  readonly credit?: { readonly messages: number; readonly bytes: number };
  readonly outbox?: OutboxOptions;
}

/** How messages wait that cannot be sent yet. */
export interface OutboxOptions {
  /** Messages that may wait. Default 1000. */
  readonly maxMessages?: number;
  /** Bytes of payloads that may wait. Default 4 MiB. */
  readonly maxBytes?: number;
  /**
   * What happens to one more: `reject` (the default) refuses it with `outbox_full`; `drop-oldest`
   * refuses the oldest that were not sent yet, with the same code.
   */
  readonly overflow?: "reject" | "drop-oldest";
  /** Where they wait. Default: memory; {@link OutboxStorage} keeps them across reloads. */
  readonly storage?: OutboxStorage;
  /**
   * Messages that may be on their way unanswered. Default 32. With 1 the order holds even when the server
   * refuses a message for its rate and takes it later.
   */
  readonly inFlight?: number;
}

/** What a message was stored as. */
export interface RoomReceipt {
  readonly id: string;
  /** Its number in the room's log, or its mail number. */
  readonly seq: number;
}

/** Someone who is here. */
export interface Member<State = unknown> {
  readonly member: string;
  readonly state: State;
}

/** Who is here. */
export interface Presence<State = unknown> {
  /** How many. */
  readonly count: number;
  /** Who, in order of arrival as far as this client saw it; in a room of more than 100 a sample. */
  readonly members: readonly Member<State>[];
  /** Whether `members` are all. */
  readonly complete: boolean;
}

/** A message of a history page. */
export interface HistoryMessage {
  readonly position: string;
  readonly sender: string;
  readonly at: number;
  readonly event: string;
  /** As JSON has it: binary is `{"$base64": "…"}`, an integer beyond 2^53 a decimal string. */
  readonly payload: unknown;
  readonly id: string;
}

/** A page of a room's history. */
export interface HistoryPage {
  readonly messages: readonly HistoryMessage[];
  /** The position to ask on after. */
  readonly next: string;
  /** Whether there is nothing after `next` now. */
  readonly done: boolean;
  /** What is no longer stored. */
  readonly gap?: { readonly reason: string; readonly from: string; readonly to: string };
}

/** A room. */
export interface Room<Events extends object = AnyEvents, State = unknown> extends Readable<
  RoomItem<Events>
> {
  readonly name: string;
  /** This member's name, once the server has said it. */
  readonly member: string | undefined;
  /** After the last message that a reader took; undefined before there is one. Keep it to go on later. */
  readonly position: string | undefined;
  /** The last direct message that a reader took. */
  readonly mail: number;
  /** Who is here. */
  readonly presence: Observable<Presence<State>>;
  /** What waits to be sent. */
  readonly outbox: Outbox;
  /** Connects, if nothing has yet; resolves when the server has greeted, rejects when it never will. */
  join(): Promise<void>;
  /**
   * Sends to everyone; resolves when the message is durable. Without a connection it waits. Rejects when
   * the server refuses it or the outbox is full; whoever does not look is not disturbed by that.
   */
  publish<Name extends EventName<Events>>(
    event: Name,
    payload: Events[Name],
    options?: SendOptions,
  ): Promise<RoomReceipt>;
  /** Sends to one member, here or not; as {@link publish}. */
  direct<Name extends EventName<Events>>(
    to: string,
    event: Name,
    payload: Events[Name],
    options?: SendOptions,
  ): Promise<RoomReceipt>;
  /** Shows the others something; shown again after each reconnection. Null shows nothing. */
  show(state: State | null): void;
  /** A page of what is stored, after a position or from the oldest. */
  history(query?: { readonly after?: string; readonly limit?: number }): Promise<HistoryPage>;
  /** Leaves for good: the others see it at once. Waits for nothing that is not sent yet. */
  leave(): void;
}

/** How a message is sent. */
export interface SendOptions {
  /** The message's name: repeating it does not send twice. Made up when left out. */
  readonly id?: string;
}
