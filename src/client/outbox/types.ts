/**
 * Owns what is known of messages that wait to be sent, and where they wait. Refuses to send them.
 */
import type { ClientError } from "../errors.ts";
import type { OutboxOptions } from "../room/types.ts";
import type { Observable, Unsubscribe } from "../state.ts";
import type { SenderParts } from "./entry.ts";
import type { Sender } from "./sender.ts";

/** A message that waits. Plain data: it survives structured cloning. */
export interface OutboxMessage {
  readonly id: string;
  /** Increases from each message to the next; messages are sent in this order. */
  readonly order: number;
  /** The member it is for; undefined: everyone. */
  readonly to: string | undefined;
  readonly event: string;
  /** MessagePack. */
  readonly payload: Uint8Array;
}

/**
 * Keeps messages across reloads. `box` names a queue by the server, the room and the member that the application
 * has named: messages of one do not show in another. A message is removed only when adding it is done; apart from
 * that, calls do not wait for each other.
 */
export interface OutboxStorage {
  /** All messages of a box, in any order. */
  load(box: string): Promise<readonly OutboxMessage[]>;
  /** Adds a message. */
  add(box: string, message: OutboxMessage): Promise<void>;
  /** Removes messages; those that are not there do not matter. */
  remove(box: string, ids: readonly string[]): Promise<void>;
  /** @internal What sends from it, where that is more than one page's: a queue of all tabs. Left out: each page's own. */
  readonly makeSender?: (options: OutboxOptions, parts: SenderParts) => Sender;
}

/** What those say to each other who have the same box open. Plain data: it survives structured cloning. */
export type QueueNews =
  | { readonly kind: "added"; readonly message: OutboxMessage }
  | {
      readonly kind: "answered";
      readonly published: readonly { readonly id: string; readonly seq: number }[];
    }
  | {
      readonly kind: "refused";
      readonly id: string;
      readonly code: string;
      readonly message: string;
    }
  /**
   * `joined`: whoever says it has read the storage; `sender`: sends from now on; `ask` and `here`: whether the
   * one that sends is awake.
   */
  | { readonly kind: "joined" | "sender" | "ask" | "here" };

/** One of those who have the same box open. */
export interface QueueMember {
  /** Hears what another one says. */
  heard(news: QueueNews): void;
  /** It is this one's turn to send, or no longer. */
  turn(isMine: boolean): void;
  /** Whether it has something that waits to be sent. */
  isWaiting(): boolean;
  /** The page was left or frozen, and is back: it has lost its seat, and heard nothing meanwhile. */
  missed(): void;
}

/** A place among those who have the same box open. */
export interface QueueSeat {
  /** Tells all others. */
  tell(news: QueueNews): void;
  /** Can send, and wants its turn. */
  stand(): void;
  /** Cannot send now: the turn is another's. */
  rest(): void;
  /** Is gone. */
  leave(): void;
}

/** What waits to be sent. */
export interface Outbox {
  /** How many messages wait, those on their way included. */
  readonly size: Observable<number>;
  /** Resolves when nothing waits. Rejected when the room is closed before; single refusals: {@link onRefused}. */
  drained(): Promise<void>;
  /** Calls `listener` with each message that will not be sent any more, and why; also with those of former pages. */
  onRefused(listener: (message: OutboxMessage, error: ClientError) => void): Unsubscribe;
}
