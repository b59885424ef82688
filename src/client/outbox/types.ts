/**
 * Owns what is known of messages that wait to be sent, and where they wait. Refuses to send them.
 */
import type { ClientError } from "../errors.ts";
import type { Observable, Unsubscribe } from "../state.ts";

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
 * Keeps messages across reloads. `box` names a queue: messages of one do not show in another. A message is
 * removed only when adding it is done; apart from that, calls do not wait for each other.
 */
export interface OutboxStorage {
  /** All messages of a box, in any order. */
  load(box: string): Promise<readonly OutboxMessage[]>;
  /** Adds a message. */
  add(box: string, message: OutboxMessage): Promise<void>;
  /** Removes messages; those that are not there do not matter. */
  remove(box: string, ids: readonly string[]): Promise<void>;
}

/** What waits to be sent. */
export interface Outbox {
  /** How many messages wait, those on their way included. */
  readonly size: Observable<number>;
  /** Resolves when nothing waits. */
  drained(): Promise<void>;
  /** Calls `listener` with each message that will not be sent any more, and why; also with those of former pages. */
  onRefused(listener: (message: OutboxMessage, error: ClientError) => void): Unsubscribe;
}
