/** Owns what a connection to topics says and is told. Refuses to know what carries it. */
import type { Transport } from "../transport.ts";

/** Where a reader of topics begins. */
export interface TopicResume {
  /** The last position received; undefined before the first. */
  readonly after: string | undefined;
  readonly from: "start" | "now" | number;
  /** How many events may be told and not yet taken. */
  readonly window: number;
}

/** An event of the stream as it came: `gap`, `end` and `error` are the stream's own. */
export interface TopicEvent {
  /** Position after the event; a block without data tells only this. */
  readonly id?: string | undefined;
  readonly event?: string | undefined;
  /** Undefined where only the position is told. */
  readonly data?: string | undefined;
}

/** So many events were taken, and as many more may be told. */
export interface TopicTaken {
  readonly kind: "taken";
  readonly count: number;
}

/** Carries the events of some topics. */
export type TopicTransport = Transport<TopicResume, TopicEvent, TopicTaken>;
