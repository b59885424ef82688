/**
 * Owns what all logs have in common for those who read them. Refuses to know which log it is.
 */
import type { SchemaIssue } from "./schema.ts";
import type { ConnectionState, Observable, Unsubscribe } from "./state.ts";

/** Messages that are lost to this reader, said instead of being skipped. */
export interface Gap {
  readonly kind: "gap";
  /** The topic, if it is one. */
  readonly topic?: string;
  /**
   * `trimmed`: no longer stored; `epoch`: the log began anew; `future`: a position it never reached;
   * `unread`: received here while nobody read, and let go. A newer server may say more.
   */
  readonly reason: "trimmed" | "epoch" | "future" | "unread";
  /** Position of the first message that is lost. */
  readonly from: string;
  /** Position of the last message that is lost. */
  readonly to: string;
  /** Reading goes on after it. */
  readonly position: string;
}

/** A message whose data is not what its validator wants; shown and not dropped. */
export interface Invalid {
  readonly kind: "invalid";
  readonly event: string;
  readonly data: unknown;
  readonly issues: readonly SchemaIssue[];
  readonly position: string;
}

/**
 * Something that can be read to its end, as an async iterable or with callbacks. It connects when the
 * first reader comes. Every reader gets every item in order; the slowest sets the speed, and what is
 * taken from the server is bounded. An iterator is done with an item when it asks for the next.
 */
export interface Readable<Item> extends AsyncIterable<Item, undefined> {
  /** Where the connection stands. */
  readonly state: Observable<ConnectionState>;
  /**
   * Calls `take` with each item; a promise that it returns is waited for before the next. With `paced`
   * it is called once a frame.
   */
  subscribe(take: (item: Item) => void | Promise<void>): Unsubscribe;
  /** Gives up the connection and ends all readers. */
  close(): void;
}
